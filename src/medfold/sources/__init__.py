"""How raw data arrives. One module per `source.kind`, with three names:

- `Options`: a pydantic model of what `source:` holds for this kind;
- `fetch(options, target, hidden)`: fills the folder `target`; what a competitor may not see goes to `hidden`;
- `accept(options, given)`: checks what `FROM=` names, before it is taken over, and returns the name under which a
  single file is kept; raises UserError to refuse it.

Both folders are temporary: whatever happens, `data/<name>/raw` is either as it was or complete.
"""

import importlib
from pathlib import Path

import pandas as pd

from medfold import config, files
from medfold.competition import Competition
from medfold.errors import UserError, nearest
from medfold.paths import CompetitionPaths
from medfold.sources import local

KINDS = ["kaggle-dataset", "phantom", "url"]


class Source:
    """The source of one competition, its options checked.

    Raises:
        UserError: unknown kind or option.
    """

    def __init__(self, competition: Competition, paths: CompetitionPaths):
        where = paths.facts.relative_to(paths.root)
        kind = competition.source.get("kind")
        if kind not in KINDS:
            raise UserError(f"unknown source.kind '{kind}'{nearest(str(kind), KINDS)}", where, f"Known: {KINDS}")
        self._kind = importlib.import_module(f"medfold.sources.{kind.replace('-', '_')}")
        self._options = config.validated(self._kind.Options, competition.source, f"{where}, source")
        self._paths = paths
        self.embedded = kind == "phantom"

    @property
    def complete(self) -> bool:
        """True if the raw data is there: every file of the manifest, with its size."""
        return not missing(self._paths)

    def get(self, given: Path | None = None) -> pd.DataFrame:
        """Fills `data/<name>/raw` from the source or from `given`: a file, a folder or a zip archive.

        Returns:
            The manifest: file (path below raw/) and bytes.
        """
        paths = self._paths
        with files.whole(paths.raw) as raw:
            raw.mkdir()
            if given is None:
                with files.whole(paths.hidden) as hidden:
                    self._kind.fetch(self._options, raw, hidden)
                    hidden.mkdir(exist_ok=True)
            else:
                given = given.expanduser()
                if not given.exists():
                    raise UserError("no such file or folder", f"FROM={given}")
                local.take(given, raw, self._kind.accept(self._options, given))
            manifest = pd.DataFrame(
                [
                    {"file": path.relative_to(raw).as_posix(), "bytes": path.stat().st_size}
                    for path in sorted(raw.rglob("*"))
                    if path.is_file()
                ],
                columns=["file", "bytes"],
            )
            if manifest.empty:
                raise UserError("no file in it", f"FROM={given}")
            paths.raw_manifest.unlink(missing_ok=True)
        files.write_csv(manifest, paths.raw_manifest)
        return manifest


def missing(paths: CompetitionPaths) -> list[str]:
    """The raw files that are missing or have another size than the manifest says; ['raw.csv'] without a manifest."""
    if not paths.raw_manifest.is_file():
        return [paths.raw_manifest.name]
    manifest = files.read_csv(paths.raw_manifest)
    sizes = {
        path.relative_to(paths.raw).as_posix(): path.stat().st_size for path in paths.raw.rglob("*") if path.is_file()
    }
    return [file for file, size in zip(manifest["file"], manifest["bytes"], strict=True) if sizes.get(file) != size]
