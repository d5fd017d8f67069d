"""Report section: model card."""

from medfold.competition import Project
from medfold.data import Dataset
from medfold.ensemble import Ensemble
from medfold.report.names import isolate, listed
from medfold.report.page import ROWS, Section, plural
from medfold.scoring import describe_score


def model_card_section(project: Project, data: Dataset, found: Ensemble) -> Section:
    """What the model is for, what it is, and where its limits are."""
    competition, score = project.competition, found.score
    section = Section("card", "Model card")
    section.heading("Intended use")
    section.list(
        [
            f"Competitions and research on: {isolate(competition.title)}.",
            "Not for the diagnosis of patients, and not a medical device: nobody has shown that it does good.",
        ]
    )
    section.heading("What it is")
    section.list(
        [
            f"{plural('Run', found.names)} {listed(found.names)}: a convolutional net per fold.",
            f"Put together by: {found.choice.chosen.method.title}.",
            f"Task {competition.task}: {listed(competition.prediction_columns[:ROWS])}.",
            f"Trained on {len(data.train):,} images of {data.train['group'].nunique():,} groups.",
            f"Out of fold: {describe_score(competition, score, data.train['unit'].nunique())}.",
        ]
    )
    section.heading("Limits")
    limits = [
        "The score holds for images like these: from the same places, machines and kinds of patients.",
        "The interval tells the chance of the sample, not what happens elsewhere.",
        "Heat maps show what moved a prediction, not why it is right.",
        "Labels may be wrong; the worst mistakes are where to look for it.",
    ]
    if not competition.labels.group and not competition.labels.group_pattern:
        limits.insert(
            1,
            "No column names patients: several images of one would stand in several folds, and the score be too good.",
        )
    section.list(limits)
    return section
