"""Builds the page about a run, or about several runs combined, from its sections."""

from typing import Any

import pandas as pd

from medfold import __version__
from medfold.competition import RESEARCH_NOTICE, Competition, has_known_groups
from medfold.data import Dataset
from medfold.ensemble import Ensemble
from medfold.paths import RunPaths
from medfold.report.names import isolate, join_names
from medfold.report.page import Card, Page, Section, plural
from medfold.report.sections.data import data_section, folds_section
from medfold.report.sections.ensemble import ensemble_section
from medfold.report.sections.explanations import explanations_section
from medfold.report.sections.learning import learning_section
from medfold.report.sections.model_card import model_card_section
from medfold.report.sections.performance import performance_section
from medfold.report.sections.reproduction import recipe_section, reproduction_section
from medfold.report.sections.subgroups import subgroups_section
from medfold.runs import self_check_warnings, training_seconds
from medfold.scoring import UNKNOWN_PATIENTS, Metric, format_interval, format_score, metric_of, metric_title
from medfold.submission import find_scored_row, read_rows
from medfold.tables import read_csv


def build_page(
    competition: Competition,
    dataset: Dataset,
    ensemble: Ensemble,
    measurements: pd.DataFrame,
    variables: dict[str, Any],
) -> Page:
    """Builds the page, section by section.

    Args:
        competition: the competition of the runs.
        dataset: the dataset that the runs were trained on.
        ensemble: the runs, combined.
        measurements: id, height and width of each raw image, from the scan that filled the store of the first run.
        variables: make variables of `make report` other than the runs, such as METHOD; shown under 'Reproduction'.
    """
    runs_text = f"{plural('run', ensemble.run_names)} {join_names(ensemble.run_names)}"
    return Page(
        name=" + ".join(map(isolate, ensemble.run_names)),
        title=competition.facts.title,
        subtitle=f"{competition.paths.name}, {runs_text}. {RESEARCH_NOTICE}",
        cards=_cards(competition, ensemble, metric_of(competition.facts)),
        notes=_notes(competition, dataset, ensemble),
        sections=_sections(competition, dataset, ensemble, measurements, variables),
        footer=f"Written by medfold {__version__}. {RESEARCH_NOTICE}",
    )


def _sections(
    competition: Competition,
    dataset: Dataset,
    ensemble: Ensemble,
    measurements: pd.DataFrame,
    variables: dict[str, Any],
) -> list[Section]:
    """Returns the sections; empty sections are left out."""
    facts = competition.facts
    metric = metric_of(facts)
    sections = [data_section(competition, dataset), folds_section(competition, dataset)]
    if histories := _histories(ensemble.runs[0].paths, ensemble.score.trained_folds, metric):
        seconds = training_seconds([run.paths for run in ensemble.runs], facts.folds.k)
        sections.append(learning_section(histories, metric, seconds))
    scored = ensemble.oof if ensemble.method_choice.used_post_processing else ensemble.oof_probabilities
    sections.append(performance_section(facts, scored, ensemble.oof_probabilities))
    if subgroups := subgroups_section(competition, dataset, ensemble):
        sections.append(subgroups)
    if len(ensemble.run_names) > 1 or ensemble.method_choice.post_processed:
        sections.append(ensemble_section(ensemble, metric))
    return [
        *sections,
        explanations_section(competition, dataset, ensemble, measurements),
        recipe_section(competition, ensemble),
        reproduction_section(competition, ensemble, variables),
        model_card_section(competition, dataset, ensemble),
    ]


def _notes(competition: Competition, dataset: Dataset, ensemble: Ensemble) -> list[str]:
    """Returns warnings for the top of the page: an optimistic score, missing folds, suspicious folds."""
    score = ensemble.score
    num_done, k = len(score.trained_folds), competition.facts.folds.k
    notes = []
    if score.is_optimistic:
        notes.append("OPTIMISTIC: epochs were chosen on the scored folds. Do not compare it with unmarked scores.")
    if num_done < k:
        notes.append(
            f"Covers {num_done} of {k} folds: the score is of {score.num_units:,} of "
            f"{dataset.train['unit'].nunique():,} {_units(competition)}."
        )
    for run in ensemble.runs:
        for fold, lines in self_check_warnings(run.paths, score.trained_folds).items():
            notes.append(f"SUSPICIOUS: {isolate(run.name)}, fold {fold}: {'; '.join(lines)}.")
    return notes


def _cards(competition: Competition, ensemble: Ensemble, metric: Metric) -> list[Card]:
    """Returns the headline numbers: OOF scores, scores of the last submission, folds."""
    score = ensemble.score
    interval = format_interval(score.low, score.high)
    interval = interval if interval == "no interval" else f"95 % interval {interval}"
    value = format_score(score.value)
    over = "over patients or other groups" if has_known_groups(competition.facts) else UNKNOWN_PATIENTS
    cards = [Card(f"out-of-fold {isolate(metric.title)}", value, f"{interval}, {over}")]
    for name, other in score.more_metrics.items():
        cards.append(Card(f"out-of-fold {isolate(metric_title(competition.facts, name))}", format_score(other)))
    row = find_scored_row(read_rows(competition.project_paths, competition.paths.name), ensemble.run_names, score)
    for leaderboard_part, value in (("public", row.public), ("private", row.private)) if row else ():
        if value is not None:
            day = f"{row.time[:4]}-{row.time[4:6]}-{row.time[6:8]}"
            cards.append(Card(f"{leaderboard_part} score", f"{value:.4f}", f"submitted {day}"))
    k = competition.facts.folds.k
    cards.append(Card("folds", f"{len(score.trained_folds)} of {k}", f"{score.num_units:,} {_units(competition)}"))
    return cards


def _histories(run_paths: RunPaths, trained_folds: list[int], metric: Metric) -> dict[int, pd.DataFrame]:
    """Reads the training history of each fold that has the metric."""
    files_of_fold = {fold: run_paths.fold(fold).history for fold in trained_folds}
    former_names = {metric.validation_name: metric.name}
    types = {"loss": float, metric.validation_name: float}
    histories = {fold: read_csv(path, former_names, **types) for fold, path in files_of_fold.items() if path.is_file()}
    # If the metric of the competition was changed, older histories lack it.
    return {fold: history for fold, history in histories.items() if metric.validation_name in history}


def _units(competition: Competition) -> str:
    return "units" if competition.facts.score.unit else "samples"
