"""The bundle of a submission: trained folds, package and facts in one folder, a private data set on Kaggle."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from medfold import __version__, config
from medfold.competition import Competition, CompetitionFacts, Recipe, use_plugins
from medfold.config import PlainName
from medfold.ensemble import Ensemble
from medfold.new_images import MemberRun
from medfold.notebooks import attached_data, wheels
from medfold.notebooks.bundle import (
    BundleManifest,
    add_wheels,
    aligned_lines,
    complete_bundle,
    open_bundle,
    packed_file,
)
from medfold.notebooks.packed_files import competition_texts, copy_plugins, copy_weights
from medfold.paths import ProjectPaths
from medfold.runs import TrainedRun
from medfold.scoring import FittedTransform
from medfold.system import files
from medfold.system.path_checks import allow_links_into
from medfold.text import count_of

MANIFEST = "kit.json"  # the manifest; written last, with the hashes of all other files
ENSEMBLE, PLUGINS = "ensemble.npz", "plugins.py"


class _PackedRun(BaseModel):
    """A run in kit.json: its recipe, and the names of its weights files."""

    model_config = ConfigDict(frozen=True)

    name: str
    recipe: dict[str, Any]
    weights: list[str]


class SubmissionManifest(BundleManifest):
    """The contents of kit.json.

    Args:
        medfold: version of medfold.
        slug: name of the competition in Kaggle's URLs.
        score: OOF score as text.
        facts: facts of the competition.
        runs: the packed runs, in the order of the fitted ensemble.
        fallback: the prediction without an image.
    """

    medfold: str
    slug: PlainName
    score: str
    facts: dict[str, Any]
    runs: list[_PackedRun]
    fallback: list[float]


@dataclass(frozen=True)
class SubmissionBundle:
    """An opened submission bundle.

    Args:
        folder: folder of the bundle.
        manifest: content of kit.json.
        facts: facts of the competition, read from the bundle.
        members: the runs, in the order of the fitted ensemble.
        fitted: the fitted ensemble, with its post-processing.
    """

    folder: Path
    manifest: SubmissionManifest
    facts: CompetitionFacts
    members: list[MemberRun]
    fitted: FittedTransform

    @classmethod
    def open(cls, folder: Path | str) -> "SubmissionBundle":
        """Opens a bundle and checks that it is complete.

        Raises:
            UserError: no bundle, a missing or damaged file, or a package that is not installed.
        """
        folder = Path(folder)
        manifest = open_bundle(folder, MANIFEST, SubmissionManifest)
        use_plugins(folder / PLUGINS if PLUGINS in manifest.files else None)  # only as it was packed
        members = [
            MemberRun(
                run.name,
                config.validated(Recipe, run.recipe, MANIFEST),
                [packed_file(folder, manifest, name) for name in run.weights],
            )
            for run in manifest.runs
        ]
        facts = config.validated(CompetitionFacts, manifest.facts, MANIFEST)
        return cls(folder, manifest, facts, members, FittedTransform.load(packed_file(folder, manifest, ENSEMBLE)))

    def __str__(self) -> str:
        runs = ", ".join(f"{member.name} ({count_of(len(member.weights_files), 'fold')})" for member in self.members)
        values = {
            "competition": self.facts.title,
            "runs": runs,
            "OOF score": self.manifest.score,
            "medfold": self.manifest.medfold,
        }
        return aligned_lines(values)

    def data_folder(self, inputs: Path | str) -> Path:
        """Finds the competition's data among the data attached to the notebook.

        Args:
            inputs: the folder of all mounts, which holds it as `competitions/<slug>` or as `<slug>`.

        Returns:
            Path of the folder, which exists.

        Raises:
            UserError: the data set is not attached to the notebook; the message lists what is.
        """
        folder = attached_data.competition_folder(Path(inputs), self.manifest.slug)
        allow_links_into(Path(inputs))
        root = folder / self.facts.images.root
        return root if root.is_dir() else folder


def write_submission_bundle(
    competition: Competition, slug: str, ensemble: Ensemble, score_text: str, out: Path
) -> dict[str, int]:
    """Writes a bundle; equal inputs give equal bytes.

    It holds no raw data, no id of a sample, patient or unit, no folder name of this machine and no secret.

    Args:
        competition: the competition; its facts, recipes, README.md and plugins.py are packed.
        slug: name of the competition in Kaggle's URLs, by which the notebook finds its data.
        ensemble: fitted ensemble of the runs, whose trained folds are packed.
        score_text: OOF score as text, for the notebook.
        out: folder to write.

    Returns:
        The size of each file, in bytes.

    Raises:
        UserError: the package cannot be built, a package that Kaggle's image lacks cannot be downloaded, or a file is
            a link or not what it must be.
    """
    facts, paths = competition.facts, competition.paths
    with files.atomic_write(out) as folder:
        folder.mkdir(parents=True)
        packages = wheels.missing_packages(facts)
        add_wheels(folder, packages, ProjectPaths(paths.root))
        ensemble.method_choice.used.fitted.save(folder / ENSEMBLE)
        copy_plugins(paths, folder)
        run_entries = [_copy_weights(run, folder) for run in ensemble.runs]
        manifest = {
            "medfold": __version__,
            "competition": paths.name,
            "slug": slug,
            "score": score_text,
            "facts": facts.model_dump(mode="json"),
            "runs": run_entries,
            "fallback": ensemble.fallback.tolist(),
            "packages": list(packages),
            "competition_files": competition_texts(paths),
        }
        run_identities = [
            {**entry, "recipe": run.recipe.fingerprint_input()}
            for entry, run in zip(run_entries, ensemble.runs, strict=True)
        ]
        identity = [slug, facts.fingerprint_input(), run_identities, manifest["fallback"]]
        return complete_bundle(folder, manifest, MANIFEST, identity)


def _copy_weights(run: TrainedRun, folder: Path) -> dict[str, Any]:
    """Copies the weights of a run's folds into the bundle, and returns the entry of the run in kit.json."""
    names = []
    for fold in run.trained_folds:
        names.append(f"{run.name}-fold{fold}.h5")
        copy_weights(run.paths.fold(fold).weights, folder / names[-1])
    return {"name": run.name, "recipe": run.recipe.portable(), "folds": run.trained_folds, "weights": names}
