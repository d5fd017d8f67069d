"""What every stage starts from: one competition in one project folder, and how a score is put into words."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medfold.competition import facts as competition_module
from medfold.competition.facts import Competition
from medfold.data.sources.source import Source
from medfold.paths import CompetitionPaths, Paths
from medfold.scoring import metrics
from medfold.scoring.bootstrap import described, shown

UNKNOWN = "patients unknown: it may flatter"
RESEARCH = "For research and competitions, not for the diagnosis of patients."


@dataclass(frozen=True)
class Project:
    """One competition in one project folder."""

    root: Paths
    paths: CompetitionPaths
    competition: Competition
    source: Source

    @classmethod
    def open(cls, name: str, root: Paths | None = None) -> "Project":
        """Opens a competition by name or by its address at Kaggle, its facts checked.

        Raises:
            UserError: no such competition, or a fault in its competition.yaml.
        """
        root = root or Paths.find()
        paths = root.competition(competition_module.folder_of(root, name))
        facts = competition_module.load(paths, root.bases)
        for metric in (facts.score.metric, *facts.score.also):
            metrics.of(facts, metric)
        return cls(root, paths, facts, Source(facts.source, paths))

    def command(self, target: str, **words: object) -> str:
        """The make command for a target of this competition, as it is typed."""
        words = {"COMPETITION": self.paths.name, **words}
        return " ".join(["make", target, *(f"{key}={value}" for key, value in words.items())])

    def shown(self, path: Path) -> str:
        return self.root.shown(path)


def commit_of(root: Path) -> str | None:
    """The commit of the project folder, with '+' if files differ from it; None outside git."""
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()


def groups_known(competition: Competition) -> bool:
    """True if the facts say which images are of one patient, or of one unit of the score."""
    labels = competition.labels
    return bool(labels.group or labels.group_pattern or competition.score.unit)


def describe_score(competition: Competition, result: dict[str, Any], total: int) -> str:
    """'AUC 0.9512 (95 % interval 0.9312 to 0.9689), all 5 folds': an OOF score in words.

    Args:
        total: the number of units in all folds.
    """
    title = metrics.title_of(competition, result["metric"])
    k, done = competition.folds.k, result["folds_done"]
    text = described(title, result["value"], result["low"], result["high"])
    for name, value in result["also"].items():
        text += f", {metrics.title_of(competition, name)} {shown(value)}"
    covers = f"all {k} folds" if len(done) == k else f"covers {len(done)} of {k} folds"
    text += f", {covers}, {result['units']:,} of {total:,} {'units' if competition.score.unit else 'samples'}"
    text += "" if groups_known(competition) else f"; {UNKNOWN}"
    return text + (", OPTIMISTIC: epochs were chosen on the scored folds" if result["optimistic"] else "")
