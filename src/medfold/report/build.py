"""Stage `report`: a web page about a run, or several together: one HTML file that needs nothing else."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medfold import __version__, config, files
from medfold.competition import recipe
from medfold.competition.project import RESEARCH, UNKNOWN, Project, describe_score, groups_known
from medfold.competition.recipe import Recipe
from medfold.console import minutes, say, size
from medfold.data.dataset import Table
from medfold.ensemble.run_ensemble import Ensemble, ensemble_of, in_words
from medfold.errors import UserError
from medfold.folds import splitters
from medfold.images import contact_sheet
from medfold.images.formats import reading
from medfold.paths import FoldPaths, RunPaths
from medfold.report import page as pages
from medfold.report import sections
from medfold.report.explanations import explained
from medfold.report.page import Card, Drawing, Page, Section
from medfold.report.subgroups import by_subgroup
from medfold.runs import identity, run_folder
from medfold.scoring import metrics
from medfold.scoring.bootstrap import interval_shown, shown
from medfold.submission import table

ROWS = 14  # of a table of classes
KINDS, EACH = 8, 6  # classes or labels on the sheet of examples, images of each


def report(project: Project, names: list[str], method: str | None = None, per_class: bool = False) -> Path:
    """Writes the page.

    Args:
        names: of the runs.
        method, per_class: how to put several together, as `ensemble` takes them.

    Returns:
        Where it is.

    Raises:
        UserError: runs that are not trained, or do not fit together.
    """
    data = identity.data_for(project, names)
    found = ensemble_of(project, names, data, method, per_class)
    words = {"METHOD": method, "PER_CLASS": 1 if per_class else None}
    text = pages.render(_page(project, data, found, {key: word for key, word in words.items() if word}))
    several = project.paths.runs / f"{run_folder.joined_name(found.names)}.html"
    path = project.paths.run(found.names[0]).report if len(found.names) == 1 else several
    files.write_text(text, path)
    say("report", f"{project.shown(path)}, {size(len(text.encode()))}: open it in a browser")
    say("", RESEARCH)
    return path


def _page(project: Project, data: Table, found: Ensemble, words: dict[str, Any]) -> Page:
    competition, score = project.competition, found.score
    metric = metrics.of(competition)
    first = project.paths.run(found.names[0])
    origin = run_folder.describe(first)
    told = [_data(project, data), _folds(project, data)]
    if histories := _histories(first, score["folds_done"], metric.name):
        told.append(sections.learning(histories, metric, _minutes(project, found.names)))
    adjusted = found.decision.adjusted and found.decision.adjusted.helps
    told.append(sections.performance(competition, found.oof if adjusted else found.probable, found.probable))
    if subgroups := _subgroups(project, data, found, metric):
        told.append(subgroups)
    if len(found.names) > 1 or found.decision.adjusted:
        told.append(_ensemble(found, metric))
    if images := explained(project, data, found):
        told.append(images)
    told += [_recipe(project, found, origin), _again(project, found, origin, words), _card(project, data, found)]
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
        for fold, lines in run_folder.suspicions(project.paths.run(name), score["folds_done"]).items():
            notes.append(f"SUSPICIOUS: {name}, fold {fold}: {'; '.join(lines)}.")
    return Page(
        name=" + ".join(found.names),
        title=competition.title,
        subtitle=f"{project.paths.name}, {_plural('run', found.names)} {', '.join(found.names)}. {RESEARCH}",
        cards=_cards(project, found, metric),
        notes=notes,
        sections=told,
        footer=f"Written by medfold {__version__}. {RESEARCH}",
    )


def _cards(project: Project, found: Ensemble, metric: metrics.Metric) -> list[Card]:
    score = found.score
    interval = interval_shown(score["low"], score["high"])
    interval = interval if interval == "no interval" else f"95 % interval {interval}"
    value = shown(score["value"])
    over = "over patients or other groups" if groups_known(project.competition) else UNKNOWN
    cards = [Card(f"out-of-fold {metric.title}", value, f"{interval}, {over}")]
    for name, other in score["also"].items():
        cards.append(Card(f"out-of-fold {metrics.title_of(project.competition, name)}", shown(other)))
    ledger = table.ledger(project.root)
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


def _data(project: Project, data: Table) -> Section:
    competition, paths = project.competition, project.paths
    section = Section("data", "The data")
    facts = [
        ["training images", f"{len(data.train):,}"],
        ["test images", f"{len(data.test):,}"],
        ["groups (patients, or what must not be split)", f"{data.train['group'].nunique():,}"],
    ]
    if competition.score.unit:
        facts.insert(1, ["units that are scored", f"{data.train['unit'].nunique():,}"])
    if competition.task == "binary":
        negative, positive = competition.class_names
        target = competition.labels.targets[0]
        facts.append(["predicted is the probability of", f"{target} = {positive} (positive), not {negative}"])
    audit = dict((files.read_json(paths.folds_origin) or {}).get("audit", {}))
    if paths.audit.is_file():  # what was found the last time somebody looked, near-duplicates too
        found = files.read_csv(paths.audit)["kind"].value_counts()
        audit |= {kind: int(found.get(kind, 0)) for kind in (*audit, "near", "near_split", "near_leaked")}
    words = {
        "duplicates": "exact duplicates in train",
        "contradicting": "duplicates with different labels",
        "leaked": "training images found in test",
        "plain": "training images of one value",
        "near": "near-duplicates in train",
        "near_split": "near-duplicates in different folds",
        "near_leaked": "near-duplicates of training images in test",
    }
    facts += [[words[kind], f"{count:,}"] for kind, count in audit.items() if kind in words]
    section.table("What there is, and what the audit found", ["", "value"], facts)
    if competition.licence:
        section.text(f"Licence of the data: {competition.licence}.")
    sheets = [
        _examples(project, data),
        _near_duplicates(paths.contact_sheet) if paths.contact_sheet.is_file() else None,
    ]
    section.figures([sheet for sheet in sheets if sheet])
    return section


def _near_duplicates(path: Path) -> Drawing:
    import cv2

    sheet = cv2.imread(str(path))[..., ::-1]
    first = np.ascontiguousarray(sheet[: sheet.shape[1] * 2 // 3])
    scale = min(1.0, 1100 / sheet.shape[1])
    shown = cv2.resize(first, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    text = "Pairs of images that show nearly the same picture, the most alike first, with their folds and labels."
    return Drawing("near-duplicates", "Near-duplicates", text, image=pages.jpeg(shown), wide=True)


def _examples(project: Project, data: Table) -> Drawing | None:
    """Some images of each class, or with each label, as a sheet."""
    competition, rng = project.competition, np.random.default_rng(0)
    truth = sections.truth_of(competition, data.targets)
    if competition.task == "binary":
        truth = np.stack([1 - truth[:, 0], truth[:, 0]], axis=1)
    names = competition.labels.targets if competition.task == "multilabel" else competition.class_names
    rows, raw = [], project.paths.raw_root(competition.images.root)
    for column, name in list(enumerate(names))[:KINDS]:
        there = np.flatnonzero(truth[:, column])
        cells = []
        for row in np.sort(rng.permutation(there)[:EACH]):
            sample = data.train.iloc[row]
            try:
                pixels = reading.read(raw, sample["image"], competition.images)
            except UserError:
                continue  # it was readable once; the sheet does without
            cells.append((pixels, [name, sample["id"]]))
        if cells:
            rows.append(cells)
    if not rows:
        return None
    text = f"Training images drawn at random, a row for each class or label: {', '.join(names[:KINDS])}."
    return Drawing("examples", "What they look like", text, image=pages.jpeg(contact_sheet.draw(rows, 1)), wide=True)


def _folds(project: Project, data: Table) -> Section:
    competition, options = project.competition, project.competition.folds
    section = Section("folds", "The folds")
    section.text(
        f"{options.k} folds, {options.method}, seed {options.seed}. Never split: groups, images with equal pixels"
        + (", near-duplicates." if options.duplicates == "near" else ".")
    )
    names = competition.labels.targets if competition.task == "multilabel" else competition.class_names
    targets = data.targets[:, :ROWS] if data.targets.ndim == 2 else data.targets
    rows = splitters.balance(targets, data.train["group"].to_numpy(), data.train["fold"].to_numpy(), names[:ROWS])
    section.table("Images, groups and labels in each fold", list(rows.columns), rows.to_numpy().tolist())
    return section


def _histories(run: RunPaths, done: list[int], metric: str) -> dict[int, pd.DataFrame]:
    read = {fold: run.fold(fold).history for fold in done}
    found = {fold: files.read_csv(path) for fold, path in read.items() if path.is_file()}
    # A competition whose metric was changed has histories of another.
    return {fold: history for fold, history in found.items() if metric in history}


def _minutes(project: Project, names: list[str]) -> str:
    k = project.competition.folds.k
    every: list[FoldPaths] = [project.paths.run(name).fold(fold) for name in names for fold in range(k)]
    logs = [log for fold in every if (log := files.read_json(fold.log))]
    return minutes(sum(log["seconds"] for log in logs)) if logs else ""


def _subgroups(project: Project, data: Table, found: Ensemble, metric: metrics.Metric) -> Section | None:
    samples = data.train.drop_duplicates("unit").set_index("unit").loc[found.oof.names]
    columns = samples[list(project.competition.labels.keep)].reset_index(drop=True)
    if project.paths.headers.is_file():
        headers = pd.read_csv(project.paths.headers, dtype=str, keep_default_na=False).set_index("id")
        columns = columns.join(headers.reindex(samples["id"]).reset_index(drop=True), rsuffix=" (header)")
    if not columns.shape[1] or found.score["value"] is None:
        return None
    parts = by_subgroup(metric, found.oof.targets, found.oof.predictions, found.oof.group, columns)
    return sections.subgroups(metric, parts, found.score["value"]) if parts else None


def _ensemble(found: Ensemble, metric: metrics.Metric) -> Section:
    section = Section("ensemble", "Put together")
    decision = found.decision
    if len(found.names) > 1:
        rows = [
            [name, shown(metric(found.members.targets, given))]
            for name, given in zip(found.names, found.members.predictions, strict=True)
        ]
        section.table("Members", ["run", f"out-of-fold {metric.title}"], rows)
        rows = [
            [
                one.method.title,
                shown(one.cross_fitted),
                shown(one.in_sample),
                in_words(one.gain) if one.gain else "",
                f"{one.gain.probability:.0%}" if one.gain and not np.isnan(one.gain.probability) else "",
            ]
            for one in decision.contenders
        ]
        section.table(
            "Methods: what is fitted on labels is judged on folds that it has not seen",
            ["method", "cross-fitted", "in-sample", "gain over the mean (95 % interval)", "better"],
            rows,
            [decision.contenders.index(decision.chosen)],
        )
    if decision.adjusted:
        one = decision.adjusted
        fate = "It is used." if one.helps else "It is not used, since the score does not gain."
        section.text(
            f"Adjustment: {one.title}. {metric.title} {shown(decision.chosen.cross_fitted)} without, with it "
            f"{shown(one.cross_fitted)} cross-fitted ({shown(one.in_sample)} in-sample). {fate}"
        )
    if found.calibration and not (decision.adjusted and decision.adjusted.helps):
        each = found.calibration
        section.text(
            f"Expected calibration error {each.before:.4f}; with a temperature of {each.temperature:.2f} it would be "
            f"{each.after:.4f}, cross-fitted."
        )
    return section


def _recipe(project: Project, found: Ensemble, origin: dict[str, Any]) -> Section:
    section = Section("recipe", "The recipe")
    ours = config.flat(Recipe.model_validate(origin["recipe"]).model_dump(mode="json"))
    known = project.paths.folder / "baseline.yaml"
    parent = recipe.load(project.paths, project.root.bases, "baseline", {}) if known.is_file() else Recipe()
    theirs, name = config.flat(parent.model_dump(mode="json")), "baseline"
    if ours == theirs:
        theirs, name = config.flat(Recipe().model_dump(mode="json")), "the defaults"
    differ = [[key, theirs.get(key, ""), value] for key, value in ours.items() if theirs.get(key) != value]
    section.table(f"{found.names[0]}: what differs from {name}", ["key", name, found.names[0]], differ)
    return section


def _again(project: Project, found: Ensemble, origin: dict[str, Any], words: dict[str, Any]) -> Section:
    section = Section("again", "Do it again")
    commands = [project.command("download"), project.command("folds")]
    for each in found.names:
        run = run_folder.describe(project.paths.run(each))
        commands.append(run.get("command") or f"# {each}: begun by an earlier version, its command is not known")
    named = " ".join(found.names)
    quoted = f'"{named}"'
    commands += [project.command(target, RUNS=quoted, **words) for target in ("submit", "report")]
    section.code("\n".join(commands))
    rows = [["commit", origin["commit"] or "outside git"], ["seed", origin["seed"]]]
    rows += [[name, number] for name, number in origin["versions"].items()]
    rows += [["folds table, SHA-256", origin["folds"][:16]], ["prepared images", origin["store"]]]
    section.table(f"What {found.names[0]} was made with", ["", "value"], rows)
    return section


def _card(project: Project, data: Table, found: Ensemble) -> Section:
    competition, score = project.competition, found.score
    section = Section("card", "Model card")
    section.heading("Intended use")
    section.list(
        [
            f"Competitions and research on: {competition.title}.",
            "Not for the diagnosis of patients, and not a medical device: nobody has shown that it does good.",
        ]
    )
    section.heading("What it is")
    section.list(
        [
            f"{_plural('Run', found.names)} {', '.join(found.names)}: a convolutional net per fold.",
            f"Put together by: {found.decision.chosen.method.title}.",
            f"Task {competition.task}: {', '.join(competition.columns[:ROWS])}.",
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


def _units(project: Project) -> str:
    return "units" if project.competition.score.unit else "samples"


def _plural(word: str, items: list[str]) -> str:
    return f"{word}s" if len(items) > 1 else word
