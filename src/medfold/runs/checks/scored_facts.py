"""The facts that a score or a submission of a run was computed with."""

from typing import Any

from medfold import config
from medfold.competition import Competition, CompetitionFacts
from medfold.runs.checks.same_data import check_same_labels
from medfold.runs.checks.same_facts import check_same_facts, facts_of_run
from medfold.runs.run import Run

SAMPLE_FACTS = ("labels.targets", "score.unit")  # the identity facts that the sample table depends on


def facts_of_score(
    competition: Competition, run: Run, score_facts: dict[str, Any] | None, current_labels_fingerprint: str | None
) -> CompetitionFacts:
    """Returns the facts of the training of a run, with the metric and submission settings of a score.

    Args:
        competition: the competition of the run, with the current facts.
        run: its run.json holds the facts of the training.
        score_facts: the settings recorded with the score. None for an older version's score: the current ones are used.
        current_labels_fingerprint: the current `labels_fingerprint`.

    Raises:
        UserError: facts of the sample table, or labels, have changed, so that nothing can be computed.
    """
    check_same_facts(competition, run, SAMPLE_FACTS)
    trained_facts = facts_of_run(competition, run)
    if sorted(trained_facts.class_names) != sorted(competition.facts.class_names):
        check_same_facts(competition, run, ("classes",))
    check_same_labels(competition, run, current_labels_fingerprint)
    facts = trained_facts.model_dump()
    current = competition.facts.model_dump(include={"score", "submission"})
    return config.validated(CompetitionFacts, facts | (score_facts or current), run.paths.score)
