"""The files of a new competition folder, from drafted facts."""

from typing import Any

import yaml

from medfold.scaffold.draft import Draft
from medfold.scoring import METRICS

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
STEPS = ("folds", "train", "submit")  # make targets, after the download
SUGGESTED = {"binary": "auc", "multiclass": "balanced_accuracy", "multilabel": "mean_auc", "ordinal": "qwk"}


def complete_facts(draft: Draft, name: str, source: dict[str, str]) -> dict[str, Any]:
    """Completes the guessed facts to those of a competition.yaml, in its order of keys.

    Args:
        draft: guessed facts; where the upload changes, its reasons and doubts do too.
        name: slug of the competition.
        source: the settings under `source`: kind and, for Kaggle, slug.

    Returns:
        Content of competition.yaml; `score.metric` may be None.
    """
    facts = dict(draft.facts)
    grouped = "group" in facts["labels"] or "group_pattern" in facts["labels"]
    facts |= {
        "title": name.replace("-", " ").capitalize(),
        "source": source,
        "upload": facts.get("upload", "local"),
        "score": {"metric": None, **facts.get("score", {})},
        "folds": {"method": "stratified-group" if grouped else "stratified"},
    }
    if source["kind"] == "own":
        if facts["upload"] != "local":
            draft.reasons[:] = [row for row in draft.reasons if row[0] != "upload"]
            draft.add_reason("upload", "local", "no address at Kaggle was given")
            doubt = "upload: local, since no competition at Kaggle is known; for one, set COMPETITION= to its address"
            draft.doubts[:] = [*(other for other in draft.doubts if not other.startswith("upload:")), doubt]
        facts["upload"] = "local"
    else:
        folder = "datasets" if "/" in source["slug"] else "competitions"
        facts["url"] = f"https://www.kaggle.com/{folder}/{source['slug']}"
    images = {**facts["images"], "symmetry": "none"}
    facts["images"] = {key: images[key] for key in IMAGE_ORDER if key in images}
    return {key: facts[key] for key in ORDER if key in facts}


def folder_files(name: str, facts: dict[str, Any]) -> dict[str, str]:
    """Returns the files of a competition folder: text by file name.

    Args:
        name: slug of the competition.
        facts: content of competition.yaml.
    """
    text = yaml.dump(facts, sort_keys=False, allow_unicode=True, width=110, Dumper=_Dumper)
    metrics = ", ".join(metric.name for metric in METRICS.all() if facts["task"] in metric.tasks)
    text = text.replace("metric: null", f"metric: # fill in, see the competition's page: {metrics}", 1)
    recipe = (
        f"# make train COMPETITION={name}\nimages: {{size: 96, fit: pad}}\nbackbone: {{name: resnet9, width: 24}}\n"
    )
    recipe += "augment: light\ntraining: {epochs: 10, batch_size: 32}\n"
    from_folder = " FROM=folder-or-archive" if facts["source"]["kind"] == "own" else ""
    commands = (f"download COMPETITION={name}{from_folder}", *(f"{target} COMPETITION={name}" for target in STEPS))
    steps = "\n".join(f"    make {command}" for command in commands)
    to_do = "To be written: what it is, its licence, time and score of each recipe."
    about = facts.get("url", "Your own data.")
    readme = f"# {name}\n\n{about}\n\n{steps}\n\n{to_do}\n"
    return {
        "competition.yaml": f"# Guessed by make new from the files of the competition: check each line.\n{text}",
        "baseline.yaml": recipe,
        "README.md": readme,
    }


class _Dumper(yaml.SafeDumper):
    """Dumper for readable YAML: mappings as blocks, lists on one line."""

    def check_simple_key(self):
        """Allows an empty text as a simple key: {'': null}."""
        return getattr(self.event, "value", None) == "" or super().check_simple_key()

    def represent_sequence(self, tag, sequence, flow_style=None):
        return super().represent_sequence(tag, sequence, flow_style=True)
