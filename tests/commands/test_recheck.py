"""make recheck: unchanged files are equal, and one changed number in any file is found."""

import json
import shutil

import pytest

from medfold import files
from medfold.commands.recheck import recheck
from medfold.commands.submit import submit
from medfold.competition.project import Project
from medfold.errors import UserError
from tests.conftest import add_variant
from tests.support.helpers import finished_run


@pytest.fixture
def submitted(folded, capsys):
    """Two runs: the first submitted alone, then both as an ensemble."""
    finished_run(folded, "one", 1.0)
    finished_run(folded, "two", 0.8)
    submit(folded, names=["one"])
    submit(folded, names=["one", "two"], method="mean")
    capsys.readouterr()
    return folded


def first_file(project, pattern: str):
    """The file of the submission of a single run, which has the shortest name."""
    return sorted(project.paths.submissions.glob(pattern), key=lambda path: len(path.name))[0]


def test_recheck_of_unchanged_files_finds_no_difference(submitted, capsys):
    recheck(submitted)
    assert capsys.readouterr().out.count("computed again, equal") == 4
    recheck(submitted, ["one"])
    assert capsys.readouterr().out.count("computed again, equal") == 2


def test_recheck_reads_the_record_of_an_earlier_version(submitted, capsys):
    path = first_file(submitted, "*.json")
    former = {"content_id": "mark", "fallback": "nothing", "holds_decisions": "decisions", "class_words": "words"}
    written = {former.get(key, key): value for key, value in files.read_json(path).items()}
    assert set(former.values()) <= set(written)
    files.write_json(written, path)
    recheck(submitted, ["one"])
    assert capsys.readouterr().out.count("computed again, equal") == 2


def slow_but_first(first, *others):
    """Parameters of a test: all but the first are slow."""
    return [first, *(pytest.param(each, marks=pytest.mark.slow) for each in others)]


@pytest.mark.parametrize("method", slow_but_first("stacking", "geometric", "rank", "optimised"))
def test_every_ensemble_method_is_recomputed(folded, method):
    finished_run(folded, "one", 1.0)
    finished_run(folded, "two", 0.8)
    facts = folded.paths.facts_file
    facts.write_text(facts.read_text().replace("metric: auc", "metric: auc, also: [accuracy, log_loss]"))
    project = Project.open("small")
    submit(project, names=["one", "two"], method=method)
    assert [(result.kind, result.not_computed) for result in recheck(project)] == [
        ("run", ""),
        ("run", ""),
        ("submission", ""),
    ]


@pytest.mark.parametrize(
    "metric", slow_but_first("pf1", "macro_f1, also: [auc, accuracy]", "log_loss, also: [ece]", "fbeta, beta: 2")
)
def test_every_post_processing_is_recomputed(folded, metric):
    add_variant(folded.workspace.root, "other", "metric: auc", f"metric: {metric}")
    project = Project.open("other")
    finished_run(project, "one", 1.0)
    submit(project, names=["one"])
    assert [(result.kind, result.not_computed) for result in recheck(project)] == [("run", ""), ("submission", "")]


def change_last_digit(path):
    """Changes the last digit of a table's last number."""
    text = path.read_text().rstrip("\n")
    path.write_text(f"{text[:-1]}{(int(text[-1]) + 5) % 10}\n")


def change_number(path, *key):
    """Adds 1e-6 to a number in a JSON file."""
    content = files.read_json(path)
    here = content
    for step in key[:-1]:
        here = here[step]
    here[key[-1]] += 1e-6
    files.write_json(content, path)


def edit_json(path, edit):
    content = files.read_json(path)
    edit(content)
    files.write_json(content, path)


def swap_predictions(path):
    """Exchanges the predictions of the first and the last row."""
    head, first, *between, last = path.read_text().splitlines()
    one, other = first.split(",", 2), last.split(",", 2)
    one[2], other[2] = other[2], one[2]
    path.write_text("\n".join([head, ",".join(one), *between, ",".join(other), ""]))


CHANGES = {
    "oof.csv of a fold": lambda project: change_last_digit(project.paths.run("one").fold(1).oof),
    "oof.csv of the run": lambda project: change_last_digit(project.paths.run("one").oof),
    "test.csv of a fold": lambda project: change_last_digit(project.paths.run("one").fold(2).test),
    "score": lambda project: change_number(project.paths.run("one").score, "value"),
    "score of a fold": lambda project: change_number(project.paths.run("one").score, "per_fold", "1"),
    "interval": lambda project: change_number(project.paths.run("one").score, "low"),
    "optimism": lambda project: edit_json(project.paths.run("one").score, lambda kept: kept.update(optimistic=True)),
    "a fold less": lambda project: edit_json(project.paths.run("one").score, lambda kept: kept["per_fold"].pop("1")),
    "no further metric": lambda project: edit_json(
        project.paths.run("one").score, lambda kept: kept["facts"]["score"].update(also=["accuracy"])
    ),
    "folds of a submission": lambda project: edit_json(
        first_file(project, "*.json"), lambda kept: kept["score"]["folds_done"].pop()
    ),
    "interval of a submission": lambda project: change_number(first_file(project, "*.json"), "score", "high"),
    "other runs": lambda project: edit_json(first_file(project, "*.json"), lambda kept: kept.update(runs=["gone"])),
    "score without a metric": lambda project: edit_json(
        project.paths.run("one").score, lambda kept: kept.update(metric="none")
    ),
    "OOF score in the ledger": lambda project: project.workspace.ledger.write_text(
        project.workspace.ledger.read_text().replace(",auc,0.", ",auc,1.")
    ),
    "number of units": lambda project: change_number(project.paths.run("one").score, "units"),
    "submission": lambda project: change_last_digit(first_file(project, "*.csv")),
    "score of a submission": lambda project: change_number(first_file(project, "*.json"), "score", "value"),
    "OOF of a submission": lambda project: swap_predictions(first_file(project, "recheck/*.csv")),
}


@pytest.mark.parametrize(
    "what",
    ["score", *slow_but_first("submission", *(name for name in CHANGES if name not in ("score", "submission")))],
)
def test_one_changed_number_is_found(submitted, what):
    CHANGES[what](submitted)
    with pytest.raises(UserError, match=r"\d+ differences?: ") as caught:
        recheck(submitted)
    assert "\n" not in str(caught.value)


def test_consistently_changed_submission_differs_from_the_folds(submitted):
    """The file, its record and the ledger are changed together, so that their hashes agree."""
    file, ledger = first_file(submitted, "*.csv"), submitted.workspace.ledger
    change_last_digit(file)
    record = json.loads(file.with_suffix(".json").read_text())
    ledger.write_text(ledger.read_text().replace(record["sha256"], files.sha256(file)))
    file.with_suffix(".json").write_text(json.dumps({**record, "sha256": files.sha256(file)}))
    with pytest.raises(UserError, match="1 row differs from those of the folds"):
        recheck(submitted)


def test_missing_inputs_are_reported_and_are_no_difference(submitted, capsys):
    """One submission lacks its recheck file, another one a run that was deleted."""
    first_file(submitted, "recheck/*.npz").unlink()
    shutil.rmtree(submitted.paths.run("two").folder)
    recheck(submitted)
    said = capsys.readouterr().out
    assert said.count("cannot be computed again: no ") == 2
    assert "no runs/small/two/run.json" in said
    assert said.count("computed again, equal") == 1


@pytest.mark.parametrize(
    ("facts", "later"),
    [
        ("score: {metric: fbeta, beta: 2}", "score: {metric: auc}"),
        pytest.param("score: {metric: fbeta, beta: 2}", "score: {metric: fbeta, beta: 1}", marks=pytest.mark.slow),
        pytest.param("score: {metric: accuracy, also: [auc]}", "score: {metric: auc}", marks=pytest.mark.slow),
    ],
)
def test_score_is_recomputed_by_the_facts_saved_with_it(folded, facts, later, capsys):
    folder = add_variant(folded.workspace.root, "other", "score: {metric: auc}", facts)
    project = Project.open("other")
    finished_run(project, "one", 1.0)
    submit(project, names=["one"], force=True)
    text = (folder / "competition.yaml").read_text()
    (folder / "competition.yaml").write_text(text.replace(facts, later))
    capsys.readouterr()
    recheck(Project.open("other"))
    assert capsys.readouterr().out.count("computed again, equal") == 2


def test_equal_predictions_of_other_runs_get_a_consistent_ledger_row(folded, capsys):
    """Weights of 1 and 0 give the same predictions as a single run, but another score."""
    finished_run(folded, "one", 1.0)
    submit(folded, names=["one"], dry_run=True)
    finished_run(folded, "zero", 0.2)
    submit(folded, names=["one", "zero"], method="selection", dry_run=True)
    ledger = files.read_csv(folded.workspace.ledger)
    for row in ledger.to_dict("records"):
        record = files.read_json((folded.workspace.root / row["file"]).with_suffix(".json"))
        assert row["runs"] == " ".join(record["runs"])
        assert row["oof"] == pytest.approx(record["score"]["value"], abs=1e-6)
    recheck(folded)


def test_recheck_without_runs_raises(small):
    with pytest.raises(UserError, match="nothing to check. Run: make train COMPETITION=small"):
        recheck(small)
