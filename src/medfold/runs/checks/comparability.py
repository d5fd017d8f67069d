"""Whether the scores of runs can be compared, given the current facts, folds and labels."""

from dataclasses import dataclass

from medfold.competition import Competition, CompetitionFacts
from medfold.errors import UserError
from medfold.runs.checks.same_data import has_same_labels, labels_fingerprint
from medfold.runs.checks.same_facts import IDENTITY_FACTS, find_changed_fact
from medfold.runs.fold_state import FoldStates
from medfold.runs.oof import read_score
from medfold.runs.run import Run
from medfold.scoring import OofScore, metric_of
from medfold.terminal.command_text import command


@dataclass(frozen=True)
class ScoreReader:
    """Reads the scores of the runs of a competition that can be compared.

    Args:
        competition: the competition with the current facts.
        labels_fingerprint: fingerprint of the current labels; None if it is not known.
    """

    competition: Competition
    labels_fingerprint: str | None

    @classmethod
    def of(cls, competition: Competition) -> "ScoreReader":
        """Returns a reader that compares with the current labels of the competition."""
        return cls(competition, labels_fingerprint(competition))

    def read(self, run: Run, states: FoldStates, has_current_folds: bool) -> tuple[OofScore | None, str]:
        """Reads the score of a run, if it can be compared with the scores of other runs.

        Args:
            run: the run.
            states: its folds.
            has_current_folds: whether it was trained on the current folds; on others their number may differ.

        Returns:
            The score and ''; or None, and why there is no score that can be compared.
        """
        if states.damaged_files:
            fold, names = next(iter(states.damaged_files.items()))
            return None, f"fold {fold} is damaged: {names[0]} is missing or changed; {command('train')} trains it again"
        try:
            score = read_score(run.paths)
        except UserError:
            return None, f"{run.paths.score.name} is damaged: {command('train')} computes it again"
        if problem := self._problem(run, score, has_current_folds):
            return None, problem
        if score.trained_folds != states.trained:
            return None, f"outdated score: {command('train')} computes it again"
        return score, ""

    def _problem(self, run: Run, score: OofScore | None, has_current_folds: bool) -> str:
        """Returns why the score of a run cannot be compared with others, or ''."""
        facts = self.competition.facts
        try:
            keys = tuple(key for key in IDENTITY_FACTS if has_current_folds or key != "folds.k")
            changed = find_changed_fact(self.competition, run, keys)
        except UserError:
            return "trained with facts that are no longer valid"
        if changed:
            return f"trained with a different {changed[0]}"
        if not has_same_labels(run.metadata, self.labels_fingerprint):
            return "trained on other labels"
        if score is None:
            return f"score.json is missing: {command('train')} computes it again"
        if score.metric != metric_of(facts).name:
            return f"scored by {score.metric}"
        if has_other_scoring(score, facts):
            return "scored by a different beta or other weights"
        return ""


def has_other_scoring(score: OofScore, facts: CompetitionFacts) -> bool:
    """Returns True if a score was computed with a beta or weights that differ from those of the facts."""
    saved, current = (score.facts or {}).get("score"), facts.model_dump(mode="json", include={"score"})["score"]
    return isinstance(saved, dict) and any(saved.get(key) != current[key] for key in ("beta", "weights"))
