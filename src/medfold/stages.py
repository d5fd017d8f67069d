"""The stages: which one is stale, in what order they run, what they say. The only module that knows them all."""

import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medfold import competition as competition_module
from medfold import ensemble, files, folds, leaderboards, runs, samples, submission
from medfold import recipe as recipe_module
from medfold.audit import Audit, audit
from medfold.competition import Competition
from medfold.errors import UserError, some
from medfold.images import store
from medfold.paths import CompetitionPaths, Paths
from medfold.recipe import Recipe
from medfold.scoring import metrics
from medfold.sources import Source, missing
from medfold.terminal import hushed, minutes, say, size, table, warn

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
            metrics.get(metric, facts.task)
        return cls(root, paths, facts, Source(facts, paths))

    def command(self, target: str, **words: object) -> str:
        """The make command for a target of this competition, as it is typed."""
        words = {"COMPETITION": self.paths.name, **words}
        return " ".join(["make", target, *(f"{key}={value}" for key, value in words.items())])

    def shown(self, path: Path) -> str:
        return self.root.shown(path)


@dataclass(frozen=True)
class Table:
    """Samples with folds, ready to train on.

    Args:
        train: id, group (duplicates joined), fold and the columns of the sample table.
        targets: int (n,) or (n, labels), in the order of `train`.
        test: the test samples.
    """

    train: pd.DataFrame
    targets: np.ndarray
    test: pd.DataFrame
    audit: Audit


def download(
    project: Project, given: Path | None = None, force: bool = False, patterns: list[str] | None = None
) -> None:
    """Gets the raw data, reads its labels and looks at every image once; repairs what is there in part.

    Args:
        given: a file, folder or zip archive to take instead of the source. Defaults to none.
        force: gets it again even if it is there.
        patterns: names or patterns of the only files to get. Defaults to all.
    """
    paths, source = project.paths, project.source
    with files.lock(paths.raw):
        if patterns:
            _download_some(project, patterns)
            return
        if not force and (source.complete or (given is None and source.repair())):
            manifest = files.read_csv(paths.raw_manifest)
            again = " (FORCE=1 gets it again)" if given else ""
            held = f"{len(manifest):,} files, {size(manifest['bytes'].sum())}"
            say("download", f"complete: {held} in {project.shown(paths.raw)}{again}")
            store.pixel_hashes(project.competition, paths, _samples(project))
            return
        began = time.monotonic()
        manifest = source.get(given)
        try:
            table = samples.build(project.competition, paths)
            store.pixel_hashes(project.competition, paths, table)
        except UserError:
            if given:
                paths.raw_manifest.unlink()  # perhaps the wrong file was given: do not call it complete
            raise
    _note_nested_copy(project)
    count = table["part"].value_counts()
    say(
        "download",
        f"{count['train']:,} training and {count['test']:,} test images, {size(manifest['bytes'].sum())} in "
        f"{project.shown(paths.raw)}, {minutes(time.monotonic() - began)}",
    )


def _download_some(project: Project, patterns: list[str]) -> None:
    """Gets single files; they count as the whole data only if the samples can be read from them."""
    names = project.source.get_some(patterns)
    manifest = project.source.seal()
    held = f"{len(names):,} files asked for, {len(manifest):,} in {project.shown(project.paths.raw)}"
    try:
        samples.build(project.competition, project.paths)
    except UserError as error:
        project.paths.raw_manifest.unlink()
        say("download", f"{held}; not yet all that training needs ({error.what})")
    else:
        say("download", f"{held}; all that training needs")


def _note_nested_copy(project: Project) -> None:
    folder = project.competition.images.root
    nested = project.paths.raw / folder / folder
    if folder and nested.is_dir():
        warn("download", f"note: {project.shown(nested)} is a second copy inside the first; it is not used")


def _samples(project: Project) -> pd.DataFrame:
    """The sample table; made anew if it is missing or stale, and the data too where that costs nothing."""
    paths = project.paths
    if not paths.raw_manifest.is_file():
        if not project.source.embedded:
            raise UserError("no data yet", paths.name, f"Run: {project.command('download')}")
        download(project)
    absent = missing(paths)
    if absent:
        raise UserError(
            f"{len(absent)} raw files are missing or changed: {some(absent)}",
            paths.raw,
            f"Run: {project.command('download')}",
        )
    with files.lock(paths.samples):
        if samples.fresh(project.competition, paths):
            return samples.read(project.competition, paths)
        table = samples.build(project.competition, paths)
    say("samples", f"{len(table):,} samples -> {project.shown(paths.samples)}")
    return table


def make_folds(project: Project, force: bool = False, quiet: bool = False) -> Table:
    """Builds the folds, or checks those that are kept, and audits them.

    Args:
        force: builds new ones in any case.
        quiet: says something only if folds were built.

    Raises:
        UserError: kept folds that no longer fit data or facts, or that split a group.
    """
    competition, paths, options = project.competition, project.paths, project.competition.folds
    everything = _samples(project)
    if options.method == "stratified" and (competition.labels.group or competition.labels.group_pattern):
        fix = "Set it to stratified-group or group, or take labels.group out"
        raise UserError("method stratified would split the groups that 'labels' names", "folds.method", fix)
    everything = everything.merge(
        store.pixel_hashes(competition, paths, everything)[["id", "hash"]], on="id", validate="one_to_one"
    )
    train = everything[everything["part"] == "train"].reset_index(drop=True)
    test = everything[everything["part"] == "test"].reset_index(drop=True)
    targets = samples.encode(competition, train)
    train["group"] = folds.join_duplicates(train["group"].to_numpy(), train["hash"].to_numpy())

    kept = paths.folds.is_file() and not force
    if kept:
        fold = folds.check(paths, train["id"], options).set_index("id")["fold"]
        train["fold"] = fold.loc[train["id"]].to_numpy()
    else:
        train["fold"] = folds.assign(train["id"], targets, train["group"].to_numpy(), options)
    found = audit(train, test, targets)
    if found.split:
        fix = f"Run: {project.command('folds', FORCE=1)}"
        raise UserError(f"{len(found.split)} groups stand in two folds: {some(found.split)}", paths.folds, fix)
    if not kept:
        origin = {
            "folds": options.model_dump(),
            "samples": len(train),
            "groups": int(train["group"].nunique()),
            "audit": found.counts(),
        }
        folds.write(paths, train, origin)
    files.write_csv(found.table(), paths.audit)
    if not (quiet and kept):
        _show_folds(project, train, targets, found, kept)
    return Table(train, targets, test, found)


def _show_folds(project: Project, train: pd.DataFrame, targets: np.ndarray, found: Audit, kept: bool) -> None:
    options, competition = project.competition.folds, project.competition
    names = competition.labels.targets if competition.task == "multilabel" else competition.class_names
    if not competition.classes and competition.task == "binary":
        names = [f"{competition.labels.targets[0]}={name}" for name in names]
    groups = train["group"].to_numpy()
    state = "kept" if kept else "made"
    how = f"{options.k} folds, {options.method}, seed {options.seed}, {train['group'].nunique():,} groups"
    say("folds", f"{state}: {how} -> {project.shown(project.paths.folds)}")
    for name, count in folds.scarce(targets, groups, names, options.k).items():
        warn("folds", f"warning: class {name} is in {count} groups only, so {options.k - count} folds have none of it")
    rows = folds.balance(targets, groups, train["fold"].to_numpy(), names)
    if len(names) <= 14:
        table(rows.columns, rows.to_numpy().tolist())
    for number, (fact, value) in enumerate(found.lines()):
        (warn if value != "none" else say)("audit" if number == 0 else "", f"{fact:<33}{value}")
    if any(found.counts().values()):
        say("", f"all of them: {project.shown(project.paths.audit)}")


def train(
    project: Project,
    recipe: str = "baseline",
    overrides: dict[str, Any] | None = None,
    seeds: list[int] | None = None,
    fold: int | None = None,
    run: str | None = None,
) -> None:
    """Trains one fold, or all that are missing, for each seed.

    Args:
        recipe: the name of a recipe of the competition.
        overrides: laid over it.
        seeds: a run for each. Defaults to 0.
        fold: the fold to train. Defaults to all that are missing.
        run: a name for the run. Defaults to one made of recipe, seed and overrides.

    Raises:
        UserError: a fold out of range, or a run that was begun with another recipe, folds table or store.
    """
    competition, paths, seeds, overrides = project.competition, project.paths, seeds or [0], overrides or {}
    choices = recipe_module.load(paths, project.root.bases, recipe, overrides)
    k = competition.folds.k
    if fold is not None and not 0 <= fold < k:
        raise UserError(f"there is no fold {fold}", f"FOLD={fold}", f"Choose 0 to {k - 1}, or all")
    if run and len(seeds) > 1:
        raise UserError("one name cannot serve several seeds", f"RUN={run}", "Leave RUN out")
    data = make_folds(project, quiet=True)
    for seed in seeds:
        run_paths = runs.paths_of(paths, run or recipe_module.run_name(recipe, seed, overrides))
        runs.open_run(run_paths, _origin(project, choices, seed))
        done = runs.done_folds(run_paths, k)
        todo = [number for number in (range(k) if fold is None else [fold]) if number not in done]
        if not todo:
            what = "all folds are done" if fold is None else f"fold {fold} is done"
            say("train", f"{what} in {project.shown(run_paths.folder)}")
        else:
            _train_folds(project, choices, seed, data, run_paths, todo)
        result = runs.collect(competition, run_paths, data.train, data.targets)
        say("OOF score", describe_score(competition, result, len(data.train)))


def _train_folds(project: Project, choices: Recipe, seed: int, data: Table, run_paths: Any, todo: list[int]) -> None:
    samples_table = pd.concat([data.train, data.test], ignore_index=True)
    key = store.key(project.competition, project.paths, choices.images)
    if not store.complete(project.paths, key):
        began = time.monotonic()
        everything = samples.read(project.competition, project.paths)
        store.build(project.competition, project.paths, choices.images, everything)
        pixels = f"{choices.images.size}x{choices.images.size} px"
        folder = project.shown(project.paths.store(key))
        spent = minutes(time.monotonic() - began)
        say("prepare", f"{len(samples_table):,} images at {pixels} -> {folder}, {spent}")
    backbone, epochs = choices.backbone.name, choices.training.epochs
    say("train", f"{run_paths.name}: {backbone}, {choices.images.size} px, {epochs} epochs, folds {some(todo, 10)}")

    with hushed():  # TensorFlow tells at length which GPUs it does not find
        from medfold.training.fit import Task, train_fold  # takes seconds to import: only now

    metric = metrics.get(project.competition.score.metric, project.competition.task)
    task = Task(
        project.competition,
        choices,
        seed,
        store.load(project.paths, key),
        data.train,
        data.targets,
        data.test,
    )
    for number in todo:
        began = time.monotonic()
        with files.lock(run_paths.fold(number).folder):
            if runs.is_done(run_paths.fold(number)):
                continue
            score = train_fold(task, number, run_paths.fold(number))
        shown = "undefined" if np.isnan(score) else f"{score:.4f}"
        say(f"fold {number}", f"{metric.title} {shown}, {minutes(time.monotonic() - began)}")
        runs.collect(project.competition, run_paths, data.train, data.targets)


def _origin(project: Project, choices: Recipe, seed: int) -> dict[str, Any]:
    pretrained = Path(choices.backbone.weights).expanduser()
    return {
        "competition": project.paths.name,
        "seed": seed,
        "recipe": choices.model_dump(mode="json"),
        "facts": project.competition.model_dump(mode="json"),
        "folds": files.sha256(project.paths.folds),
        "store": store.key(project.competition, project.paths, choices.images),
        "pretrained": files.sha256(pretrained) if pretrained.is_file() else None,
        "versions": {
            name: version(name) for name in ("tensorflow", "keras", "numpy", "albumentations", "opencv-python-headless")
        },
        "commit": _commit(project.root.root),
    }


def _commit(root: Path) -> str | None:
    """The commit of the project folder, with '+' if files differ from it; None outside git."""
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()


def describe_score(competition: Competition, result: dict[str, Any], samples_total: int) -> str:
    """'AUC 0.9512 (95 % interval 0.9312 to 0.9689), all 5 folds': an OOF score in words."""
    metric = metrics.METRICS[result["metric"]]
    k, done = competition.folds.k, result["folds_done"]
    if result["value"] is None:
        text = f"{metric.title} undefined"
    elif result["low"] is None:
        text = f"{metric.title} {result['value']:.4f} (no interval)"
    else:
        text = f"{metric.title} {result['value']:.4f} (95 % interval {result['low']:.4f} to {result['high']:.4f})"
    for name, value in result["also"].items():
        text += f", {metrics.METRICS[name].title} {'undefined' if value is None else f'{value:.4f}'}"
    covers = f"all {k} folds" if len(done) == k else f"covers {len(done)} of {k} folds"
    text += f", {covers}, {result['units']:,} of {samples_total:,} samples"
    return text + (", OPTIMISTIC: epochs were chosen on the scored folds" if result["optimistic"] else "")


def submit(
    project: Project,
    recipe: str = "baseline",
    overrides: dict[str, Any] | None = None,
    seeds: list[int] | None = None,
    names: list[str] | None = None,
    force: bool = False,
    dry_run: bool = False,
) -> None:
    """Blends the trained folds of one run or several, writes the submission, checks, places and records it.

    The ledger has its row before anything is uploaded, so that a submission killed in between is found again.

    Args:
        recipe, overrides, seeds: name the runs as `train` does.
        names: the names of the runs instead. Defaults to none.
        force: places it even if the same predictions were placed before.
        dry_run: does everything but place it.

    Raises:
        UserError: no trained fold, runs that do not fit together, a faulty submission, or one that was refused.
    """
    competition, paths = project.competition, project.paths
    names = names or [recipe_module.run_name(recipe, seed, overrides or {}) for seed in seeds or [0]]
    data = make_folds(project, quiet=True)
    result, test, inputs = _blend(project, names, data)
    sample = samples.sample_submission(competition, paths)
    table_out = submission.build(competition, test, sample)
    submission.check(competition, table_out, sample)

    text = table_out.to_csv(index=False, float_format="%.9g", lineterminator="\n")
    digest = files.sha256_of(text)
    board = leaderboards.of(competition.upload)
    with files.lock(paths.submissions):
        before = submission.ledger(project.root)
        before = before[before["competition"] == paths.name]
        say("OOF score", describe_score(competition, result, len(data.train)))
        _show_per_fold(competition, result)
        row, placed_before = _row_of(project, before[before["sha256"] == digest], force)
        if placed_before:
            scored = ", ".join(f"{part} {row[part]}" for part in ("public", "private") if row[part])
            number = f" as {row['ref']}" if row["ref"] else ""
            told = f"{row['status']}{number}; {scored or 'no score yet: make scores fetches it'}"
            say("submit", f"the same predictions are already in {row['file']} ({told})")
            return
        if row is None:
            row = _new_row(project, names, result, digest)
        file = project.root.root / row["file"]
        if not file.is_file() or files.sha256(file) != digest:
            files.write_text(text, file)
        written = pd.read_csv(file, dtype={competition.submission.id: str})
        submission.check(competition, written, sample)
        origin = {"runs": names, "score": result, "inputs": inputs, "sha256": digest}
        _record(project, row, leaderboards.Placed(status="written"), origin)
        say("submit", f"{len(written):,} rows, checked -> {project.shown(file)}")
        if dry_run:
            board.preflight(competition, paths)
            say("submit", "dry run: nothing was placed; without DRY_RUN it would be")
            return
        entry = leaderboards.Entry(
            file=file,
            table=written,
            groups=data.test.set_index("id")["group"],
            message=_message(project, names, result, digest),
            mark=_mark(digest),
            again=force,
        )
        placed = board.place(competition, paths, entry)
        _record(project, row, placed, origin)
    looks = int((before["status"] == "scored").sum())
    _show_placed(project, placed, looks)
    if placed.problem:
        raise UserError(f"the submission was refused: {placed.problem}", row["file"])


def _row_of(project: Project, same: pd.DataFrame, force: bool) -> tuple[dict[str, str] | None, bool]:
    """The ledger's row of the same predictions, if it is to be used, and whether they were placed already."""
    if not len(same) or force:
        return None, False
    row = same.iloc[-1].to_dict()
    return row, row["status"] != "written"


def _new_row(project: Project, names: list[str], result: dict[str, Any], digest: str) -> dict[str, str]:
    when = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    file = project.paths.submissions / f"{when}-{'+'.join(names)}.csv"
    count = 1
    while file.exists():  # two within one second
        count += 1
        file = file.with_name(f"{when}-{'+'.join(names)}-{count}.csv")
    return {
        "when": when,
        "competition": project.paths.name,
        "runs": " ".join(names),
        "file": file.relative_to(project.root.root).as_posix(),
        "sha256": digest,
        "metric": result["metric"],
        "oof": _text(result["value"]),
        "low": _text(result["low"]),
        "high": _text(result["high"]),
        "folds": " ".join(map(str, result["folds_done"])),
    }


def _record(project: Project, row: dict[str, str], placed: leaderboards.Placed, origin: dict[str, Any]) -> None:
    """Writes what became of a submission into the ledger and beside its file."""
    fate = {"ref": placed.ref, "public": placed.public, "private": placed.private, "status": placed.status}
    files.write_json({**origin, **fate}, (project.root.root / row["file"]).with_suffix(".json"))
    scores = {"public": _text(placed.public), "private": _text(placed.private)}
    submission.record(project.root, {**row, **scores, "ref": placed.ref, "status": placed.status})


def _mark(digest: str) -> str:
    """What a submission's message holds of its file, so that it is found again among those that Kaggle lists."""
    return f"file {digest[:12]}"


def _message(project: Project, names: list[str], result: dict[str, Any], digest: str) -> str:
    metric = metrics.METRICS[result["metric"]]
    value = "undefined" if result["value"] is None else f"{result['value']:.4f}"
    folds_done = f"{len(result['folds_done'])} of {project.competition.folds.k} folds"
    commit = _commit(project.root.root)
    code = f", commit {commit}" if commit else ""
    label = "+".join(names)
    label = label if len(label) <= 200 else f"{label[:197]}..."
    return f"medfold {label}, OOF {metric.title} {value}, {folds_done}{code}, {_mark(digest)}"


def scores(root: Paths, name: str | None = None) -> None:
    """Fetches the scores that were still to come, and shows OOF against leaderboard for every submission.

    Args:
        name: one competition. Defaults to all.
    """
    table_all = submission.ledger(root)
    names = [name] if name else list(dict.fromkeys(table_all["competition"]))
    if not len(table_all[table_all["competition"].isin(names)]):
        say("scores", f"no submission{f' of {name}' if name else ''} yet")
        return
    for each in names:
        if each not in root.competitions():
            warn("scores", f"{each} is in the ledger, but there is no competition folder of that name any more")
            continue
        project = Project.open(each, root)
        _fetch_scores(project, table_all[table_all["competition"] == each])
        _show_scores(project)


def _fetch_scores(project: Project, rows: pd.DataFrame) -> None:
    board = leaderboards.of(project.competition.upload)
    waiting = rows[(rows["public"] == "") & rows["status"].isin(["written", "pending"])]
    if not len(waiting) or not hasattr(board, "look_up"):
        return
    sought = [(row["ref"], _mark(row["sha256"]), row["file"]) for _, row in waiting.iterrows()]
    try:
        found = board.look_up(project.competition, sought)
    except UserError as error:
        warn("scores", f"not refreshed: {error}")
        return
    for _, row in waiting.iterrows():
        if row["file"] in found:
            kept = files.read_json((project.root.root / row["file"]).with_suffix(".json")) or {}
            _record(project, row.to_dict(), found[row["file"]], kept)


def _show_scores(project: Project) -> None:
    rows = submission.ledger(project.root)
    rows = rows[rows["competition"] == project.paths.name]
    metric = metrics.METRICS[project.competition.score.metric]
    say("scores", f"{project.paths.name}, {metric.title}, {len(rows)} submissions")
    columns = ["when", "runs", "folds", "oof", "low", "high", "public", "private", "status"]
    table(columns, rows[columns].to_numpy().tolist())
    both = rows[(rows["oof"] != "") & (rows["public"] != "")]
    pairs = both[["oof", "public"]].astype(float)
    if len(pairs) < 3 or (pairs.nunique() < 2).any():
        say("", "a rank correlation of OOF and public needs three different scores")
        return
    correlation = pairs["oof"].corr(pairs["public"], method="spearman")
    say("", f"rank correlation (Spearman) of OOF and public: {correlation:.2f} over {len(pairs)} submissions")


def _blend(project: Project, names: list[str], data: Table) -> tuple[dict[str, Any], pd.DataFrame, dict[str, str]]:
    """The OOF score and the test predictions of runs together, and the hashes of what they were made from."""
    competition, k = project.competition, project.competition.folds.k
    oof, test, inputs, folds_done, optimistic = {}, {}, {}, {}, False
    for name in names:
        run_paths = runs.paths_of(project.paths, name)
        origin = runs.describe(run_paths)
        if origin["folds"] != files.sha256(project.paths.folds):
            fix = "Train it anew (RUN=name), or bring back the folds it was trained on with git"
            raise UserError("it was trained on another folds table", run_paths.folder, fix)
        done = runs.done_folds(run_paths, k)
        if not done:
            raise UserError(
                f"run '{name}' has no finished fold", project.paths.name, f"Run: {project.command('train')}"
            )
        folds_done[name] = done
        optimistic = optimistic or origin["recipe"]["training"]["keep"] == "best"
        fold_paths = [run_paths.fold(number) for number in done]
        read = [runs.read_predictions(competition, fold.oof) for fold in fold_paths]
        oof[name] = pd.concat(read, ignore_index=True)
        members = {f"{name} {fold.folder.name}": runs.read_predictions(competition, fold.test) for fold in fold_paths}
        test[name] = ensemble.blend(members, competition.columns)
        for fold in fold_paths:
            for file in (fold.oof, fold.test):
                inputs[file.relative_to(project.root.root).as_posix()] = files.sha256(file)
    first = folds_done[names[0]]
    for name, done in folds_done.items():
        if done != first:
            what = f"{name} has folds {some(done, k)}, {names[0]} has {some(first, k)}"
            raise UserError(what, "RUNS", "Train what is missing, so that one score vouches for all")
    blended = ensemble.blend(oof, competition.columns)
    blended.insert(1, "fold", oof[names[0]].set_index("id")["fold"].loc[blended["id"]].to_numpy())
    result = runs.score(competition, blended, data.train, data.targets, optimistic)
    return result, ensemble.blend(test, competition.columns), inputs


def _text(value: float | None) -> str:
    """A number as the ledger has it."""
    return "" if value is None else f"{value:.6f}"


def _show_per_fold(competition: Competition, result: dict[str, Any]) -> None:
    metric = metrics.METRICS[result["metric"]]
    values = [f"{'undefined' if value is None else f'{value:.4f}'}" for value in result["per_fold"].values()]
    table(["fold", *result["per_fold"]], [[metric.title, *values]])


def _show_placed(project: Project, placed: leaderboards.Placed, looks_before: int) -> None:
    for fact, value in placed.lines:
        say(fact, value)
    if placed.rivals is not None:
        marked = [placed.mine] if placed.mine is not None else []
        rows = placed.rivals.astype(object).where(placed.rivals.notna(), "").to_numpy().tolist()
        shown = [[f"{cell:.3f}" if isinstance(cell, float) else cell for cell in row] for row in rows]
        table(placed.rivals.columns, shown, marked)
    look = f", look {looks_before + 1} at this leaderboard" if placed.status == "scored" else ""
    say("ledger", f"{project.shown(project.root.ledger)}{look}")
    say("", RESEARCH)


def doctor(project: Project) -> bool:
    """Shows the health table; True if nothing is at fault."""
    from medfold.doctor import examine

    findings = []
    for finding in examine(project.root, project.competition):
        findings.append(finding)
        (say if finding.state == "ok" else warn)(finding.topic, f"{finding.state:<7}{finding.text}")
    return all(finding.state != "fault" for finding in findings)


def demo(project: Project) -> None:
    """Download, folds, training of all folds and submission, one after the other."""
    say("medfold", project.competition.title)
    began = time.monotonic()
    download(project)
    make_folds(project)
    train(project)
    submit(project)
    say("demo", f"done in {minutes(time.monotonic() - began)}")
