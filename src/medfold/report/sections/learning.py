"""Report section with the learning curves."""

import pandas as pd

from medfold.report import plots
from medfold.report.drawing import Drawing
from medfold.report.names import isolate
from medfold.report.page import Section
from medfold.scoring import Metric, format_score
from medfold.terminal.console import format_duration


def learning_section(histories: dict[int, pd.DataFrame], metric: Metric, seconds: float | None) -> Section:
    """Plots loss and score of each fold, epoch by epoch.

    Args:
        histories: the history of each fold, by its number.
        metric: the competition's metric; its column in the histories is `val_<metric>`.
        seconds: the training time of all folds together; None if it is unknown.
    """
    section = Section("learning", "Learning curves")
    section.text(
        "The score of the validation images is shown for each epoch; no epoch is chosen by it, unless the run is "
        "marked optimistic." + (f" Training took {format_duration(seconds)}." if seconds is not None else "")
    )
    last = ", ".join(
        f"fold {fold} {format_score(history[metric.validation_name].iloc[-1], 3)}"
        for fold, history in histories.items()
    )
    loss = plots.learning(histories, "loss", "loss", "loss")
    score = plots.learning(histories, metric.validation_name, metric.title, "score")
    section.figures(
        [
            Drawing("loss", "Loss", "Mean loss of each epoch, by fold.", *loss),
            Drawing(
                "score", f"{isolate(metric.title)} of the validation images", f"By epoch; at the end {last}.", *score
            ),
        ]
    )
    return section
