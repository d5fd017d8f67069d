"""Builds the page about a run, or several together, from its sections."""

from typing import Any

import pandas as pd

from medfold import __version__, files
from medfold.competition import RESEARCH_NOTICE, Project, has_known_groups
from medfold.console import format_duration
from medfold.data import Dataset
from medfold.ensemble import Ensemble
from medfold.report.names import isolate, listed
from medfold.report.page import Card, Page, Section, plural
from medfold.report.sections.data import data_section, folds_section
from medfold.report.sections.ensemble import ensemble_section
from medfold.report.sections.explanations import explanations_section
from medfold.report.sections.learning import learning_section
from medfold.report.sections.model_card import model_card_section
from medfold.report.sections.performance import performance_section
from medfold.report.sections.reproduction import recipe_section, reproduction_section
from medfold.report.sections.subgroups import subgroups_section
from medfold.report.subgroups import score_subgroups
from medfold.run_paths import FoldPaths, RunPaths
from medfold.runs import read_run, self_check_findings
from medfold.scoring import UNKNOWN, Metric, interval_in_words, metric_of, metric_title, score_in_words
from medfold.submission import read_ledger


def build_page(project: Project, data: Dataset, found: Ensemble, words: dict[str, Any]) -> Page:
    """Puts the page together, section by section.

    Args:
        project: of the competition.
        data: its dataset.
        found: the runs, put together.
        words: what was said to `make report` beside the runs, such as METHOD, to be repeated in 'Do it again'.
    """
    competition, score = project.competition, found.score
    metric = metric_of(competition)
    first = project.paths.run(found.names[0])
    origin = read_run(first)
    told = [data_section(project, data), folds_section(project, data)]
    if histories := _histories(first, score["folds_done"], metric.name):
        told.append(learning_section(histories, metric, _minutes(project, found.names)))
    adjusted = found.decision.adjusted and found.decision.adjusted.helps
    told.append(performance_section(competition, found.oof if adjusted else found.probable, found.probable))
    if subgroups := _subgroups(project, data, found, metric):
        told.append(subgroups)
    if len(found.names) > 1 or found.decision.adjusted:
        told.append(ensemble_section(found, metric))
    if images := explanations_section(project, data, found):
        told.append(images)
    told += [
        recipe_section(project, found, origin),
        reproduction_section(project, found, origin, words),
        model_card_section(project, data, found),
    ]
    notes = []
    if score["optimistic"]:
        notes.append(
            "OPTIMISTIC: epochs were chosen on the folds that are scored. Do not compare it with unmarked scores."
        )
    if len(score["folds_done"]) < competition.folds.k:
        done = len(score["folds_done"])
        notes.append(
            f"Covers {done} of {competition.folds.k} folds: the score is of {score['units']:,} of "
            f"{data.train['unit'].nunique():,} {_units(project)}."
        )
    for name in found.names:
        for fold, lines in self_check_findings(project.paths.run(name), score["folds_done"]).items():
            notes.append(f"SUSPICIOUS: {isolate(name)}, fold {fold}: {'; '.join(lines)}.")
    return Page(
        name=" + ".join(map(isolate, found.names)),
        title=competition.title,
        subtitle=f"{project.paths.name}, {plural('run', found.names)} {listed(found.names)}. {RESEARCH_NOTICE}",
        cards=_cards(project, found, metric),
        notes=notes,
        sections=told,
        footer=f"Written by medfold {__version__}. {RESEARCH_NOTICE}",
    )


def _cards(project: Project, found: Ensemble, metric: Metric) -> list[Card]:
    score = found.score
    interval = interval_in_words(score["low"], score["high"])
    interval = interval if interval == "no interval" else f"95 % interval {interval}"
    value = score_in_words(score["value"])
    over = "over patients or other groups" if has_known_groups(project.competition) else UNKNOWN
    cards = [Card(f"out-of-fold {isolate(metric.title)}", value, f"{interval}, {over}")]
    for name, other in score["also"].items():
        cards.append(Card(f"out-of-fold {isolate(metric_title(project.competition, name))}", score_in_words(other)))
    ledger = read_ledger(project.workspace)
    here = ledger[
        (ledger["competition"] == project.paths.name)
        & (ledger["runs"] == " ".join(found.names))
        & (ledger["status"] == "scored")
        & (ledger["folds"] == " ".join(map(str, score["folds_done"])))
        & (ledger["oof"] == ("" if score["value"] is None else f"{score['value']:.6f}"))
    ]
    if len(here):
        row = here.iloc[-1]
        for part in ("public", "private"):
            if row[part]:
                when = f"{row['when'][:4]}-{row['when'][4:6]}-{row['when'][6:8]}"
                cards.append(Card(f"{part} score", f"{float(row[part]):.4f}", f"submitted {when}"))
    done, k = len(score["folds_done"]), project.competition.folds.k
    cards.append(Card("folds", f"{done} of {k}", f"{score['units']:,} {_units(project)}"))
    return cards


def _histories(run: RunPaths, done: list[int], metric: str) -> dict[int, pd.DataFrame]:
    read = {fold: run.fold(fold).history for fold in done}
    found = {fold: files.read_csv(path) for fold, path in read.items() if path.is_file()}
    # A competition whose metric was changed has histories of another.
    return {fold: history for fold, history in found.items() if metric in history}


def _minutes(project: Project, names: list[str]) -> str:
    k = project.competition.folds.k
    every: list[FoldPaths] = [project.paths.run(name).fold(fold) for name in names for fold in range(k)]
    logs = [log for fold in every if (log := files.read_json(fold.log))]
    return format_duration(sum(log["seconds"] for log in logs)) if logs else ""


def _subgroups(project: Project, data: Dataset, found: Ensemble, metric: Metric) -> Section | None:
    samples = data.train.drop_duplicates("unit").set_index("unit").loc[found.oof.names]
    columns = samples[list(project.competition.labels.keep)].reset_index(drop=True)
    if project.paths.headers.is_file():
        headers = pd.read_csv(project.paths.headers, dtype=str, keep_default_na=False).set_index("id")
        columns = columns.join(headers.reindex(samples["id"]).reset_index(drop=True), rsuffix=" (header)")
    if not columns.shape[1] or found.score["value"] is None:
        return None
    parts = score_subgroups(metric, found.oof.targets, found.oof.predictions, found.oof.group, columns)
    return subgroups_section(metric, parts, found.score["value"]) if parts else None


def _units(project: Project) -> str:
    return "units" if project.competition.score.unit else "samples"
