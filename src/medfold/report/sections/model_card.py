"""Report section with the model card."""

from medfold.competition import Competition, has_known_groups
from medfold.data import Dataset
from medfold.ensemble import Ensemble
from medfold.report.names import isolate, join_names
from medfold.report.page import MAX_ROWS, Section, plural
from medfold.scoring import describe_score
from medfold.text import count_of


def model_card_section(competition: Competition, dataset: Dataset, ensemble: Ensemble) -> Section:
    """Describes the intended use of the net, its training and its limits."""
    facts = competition.facts
    score = ensemble.score
    section = Section("card", "Model card")
    section.heading("Intended use")
    section.list(
        [
            f"Competitions and research on: {isolate(facts.title)}.",
            "Not for the diagnosis of patients, and not a medical device: its benefit has not been shown.",
        ]
    )
    section.heading("Model description")
    num_groups = count_of(dataset.train["group"].nunique(), "group")
    section.list(
        [
            f"{plural('Run', ensemble.run_names)} {join_names(ensemble.run_names)}: a convolutional net per fold.",
            f"Combined by: {ensemble.method_choice.chosen.method.title}.",
            f"Task {facts.task}: {join_names(facts.prediction_columns[:MAX_ROWS])}.",
            f"Trained on {count_of(len(dataset.train), 'image')} of {num_groups}.",
            f"Out of fold: {describe_score(facts, score, dataset.train['unit'].nunique())}.",
        ]
    )
    section.heading("Limits")
    limits = [
        "The score applies to similar images: from the same hospitals, scanners and kinds of patients.",
        "The interval covers sampling variation, not differences between hospitals.",
        "Heat maps show what influenced a prediction, not why it is right.",
        "Labels may be wrong; check the worst mistakes first.",
    ]
    if not has_known_groups(facts):
        limits.insert(
            1,
            "competition.yaml names no patients: images of one may be in several folds, and the score too high.",
        )
    section.list(limits)
    return section
