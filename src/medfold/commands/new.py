"""Stage `new`: a competition folder written from the files at hand."""

from pathlib import Path
from typing import Any

import yaml

from medfold import config, files
from medfold.competition.facts import Competition
from medfold.console import say, table, warn
from medfold.data import samples
from medfold.data.sources.source import Source
from medfold.errors import UserError
from medfold.kaggle.session import slug_of
from medfold.paths import CompetitionPaths, Paths
from medfold.scaffold.draft_facts import Guess, guess
from medfold.scoring import metrics
from medfold.submission import table as submission

ORDER = (
    "title",
    "url",
    "licence",
    "source",
    "upload",
    "task",
    "classes",
    "labels",
    "images",
    "score",
    "submission",
    "folds",
)
IMAGE_ORDER = ("root", "train", "test", "exclude", "channels", "headers", "symmetry")
STEPS = ("folds", "train", "submit")
SUGGESTED = {"binary": "auc", "multiclass": "balanced_accuracy", "multilabel": "mean_auc", "ordinal": "qwk"}


def describe(root: Paths, text: str, given: Path | None = None) -> None:
    """Gets the files of a competition, guesses its facts and writes its folder; says what it guessed and why.

    Args:
        root: the project.
        text: the slug or address of a competition or data set at Kaggle, or a name of one's own. What comes from this
            machine is of Kaggle only if an address says so.
        given: a file, folder or zip archive with its files. Defaults to what stands in data/, else to Kaggle.

    Raises:
        UserError: a competition of that name is there already, or files that make no sense.
    """
    name, source = _named(text)
    if name in root.competitions() or not name or name != Path(name).name or name.startswith((".", "_")):
        what = "there is such a competition already" if name in root.competitions() else "no name for a folder"
        raise UserError(what, f"COMPETITION={name}", "Choose another name" if given else None)
    paths = CompetitionPaths(root.root, name, name)
    by_hand = given is not None or (paths.raw.is_dir() and not paths.raw_manifest.is_file())
    if by_hand and "/" not in text:
        source = {"kind": "own"}
    if given is not None or not paths.raw.is_dir():
        with files.lock(paths.raw):
            manifest = Source(source, paths).get(given)
        say("download", f"{len(manifest):,} files -> {root.shown(paths.raw)}")
    elif not paths.raw_manifest.is_file():
        Source(source, paths).seal()
    found = guess(paths.raw)
    facts = _complete(found, name, source)
    for file, content in _folder(name, facts).items():
        files.write_text(content, paths.folder / file)
    _show(root, paths, found, facts)
    _try(paths, facts)
    say("then", f"make folds COMPETITION={paths.name}")


def _try(paths: CompetitionPaths, facts: dict[str, Any]) -> None:
    """Reads the samples by the guessed facts, with a metric for the while, and says what does not fit together."""
    score = {**facts["score"], "metric": SUGGESTED[facts["task"]]}
    try:
        competition = config.validated(Competition, {**facts, "score": score}, paths.facts.relative_to(paths.root))
        count = (table := samples.build(competition, paths))["part"].value_counts()
        if not samples.undivided(paths):
            units = table.loc[table["part"] == "test", "unit"].unique().tolist()
            submission.rehearse(competition, samples.sample_submission(competition, paths), units)
    except UserError as error:
        warn("check", f"by these facts the samples cannot be read yet: {error}")
    else:
        say("samples", f"{count.get('train', 0):,} training and {count.get('test', 0):,} test images, by these facts")


def _named(text: str) -> tuple[str, dict[str, str]]:
    """The folder for what was typed, and where its data is: a competition of Kaggle, or a data set (`owner/name`)."""
    if "/" not in text:
        return text, {"kind": "kaggle", "slug": text}
    for folder, kind in (("competitions", "kaggle"), ("datasets", "kaggle-dataset")):
        try:
            slug = slug_of(text, folder)
        except ValueError:
            continue
        return slug.rpartition("/")[2], {"kind": kind, "slug": slug}
    raise UserError("neither a name nor an address of Kaggle", f"COMPETITION={text}")


def _complete(found: Guess, name: str, source: dict[str, str]) -> dict[str, Any]:
    facts = dict(found.facts)
    grouped = "group" in facts["labels"] or "group_pattern" in facts["labels"]
    facts |= {
        "title": name.replace("-", " ").capitalize(),
        "source": source,
        "upload": facts.get("upload", "local"),
        "score": {"metric": None, **facts.get("score", {})},
        "folds": {"k": 5, "seed": 42, "method": "stratified-group" if grouped else "stratified"},
    }
    if source["kind"] == "own":
        if facts["upload"] != "local":
            found.reasons[:] = [row for row in found.reasons if row[0] != "upload"]
            found.tell("upload", "local", "no address at Kaggle was given")
            fix = (
                "upload: local, for no competition at Kaggle is known: if it is one, take its address for COMPETITION="
            )
            found.doubts[:] = [*(doubt for doubt in found.doubts if not doubt.startswith("upload:")), fix]
        facts["upload"] = "local"
    else:
        folder = "datasets" if "/" in source["slug"] else "competitions"
        facts["url"] = f"https://www.kaggle.com/{folder}/{source['slug']}"
    images = {**facts["images"], "symmetry": "none"}
    facts["images"] = {key: images[key] for key in IMAGE_ORDER if key in images}
    return {key: facts[key] for key in ORDER if key in facts}


def _folder(name: str, facts: dict[str, Any]) -> dict[str, str]:
    """The files of a competition folder."""
    text = yaml.dump(facts, sort_keys=False, allow_unicode=True, width=110, Dumper=_Dumper)
    choices = ", ".join(each.name for each in metrics.METRICS.values() if facts["task"] in each.tasks)
    text = text.replace("metric: null", f"metric: # fill in, as the competition's page says: {choices}", 1)
    recipe = (
        f"# make train COMPETITION={name}\nimages: {{size: 96, fit: pad}}\nbackbone: {{name: resnet9, width: 24}}\n"
    )
    recipe += "augment: light\ntraining: {epochs: 10, batch_size: 32}\n"
    simple, debug = (f"# make train COMPETITION={name} RECIPE={each}\n" for each in ("simple_cnn", "debug"))
    given = " FROM=folder-or-archive" if facts["source"]["kind"] == "own" else ""
    commands = (f"download COMPETITION={name}{given}", *(f"{target} COMPETITION={name}" for target in STEPS))
    steps = "\n".join(f"    make {command}" for command in commands)
    rest = "What it is, its licence, time and score of each recipe: to be written."
    about = facts.get("url", "Data of one's own.")
    readme = f"# {name}\n\n{about}\n\n{steps}\n\n{rest}\n"
    return {
        "competition.yaml": f"# Guessed by make new from the files of the competition: check each line.\n{text}",
        "baseline.yaml": recipe,
        "simple_cnn.yaml": f"{simple}extends: simple_cnn\n",
        "debug.yaml": f"{debug}extends: [baseline, debug]\n",
        "README.md": readme,
    }


def _show(root: Paths, paths: CompetitionPaths, found: Guess, facts: dict[str, Any]) -> None:
    say("new", f"{paths.name} -> {root.shown(paths.folder)}")
    table(["fact", "guess", "because"], found.reasons)
    warn("check", f"score.metric: fill it in, {SUGGESTED[facts['task']]} perhaps; without it nothing runs")
    for doubt in found.doubts:
        warn("", doubt)
    warn("", "images.symmetry: horizontal or dihedral, if images may be mirrored or turned")


class _Dumper(yaml.SafeDumper):
    """YAML as it is written by hand: the parts below each other, what is in them in one line each."""

    def check_simple_key(self):
        """Allows an empty text as a simple key: {'': null}."""
        return getattr(self.event, "value", None) == "" or super().check_simple_key()

    def represent_sequence(self, tag, sequence, flow_style=None):
        return super().represent_sequence(tag, sequence, flow_style=True)
