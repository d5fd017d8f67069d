"""`make recheck`: equal where nothing was changed; one changed number in any file is noticed."""

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
    """Two runs, one of them submitted, and both together."""
    finished_run(folded, "one", 1.0)
    finished_run(folded, "two", 0.8)
    submit(folded, names=["one"])
    submit(folded, names=["one", "two"], method="mean")
    capsys.readouterr()
    return folded


def first_of(project, pattern: str):
    """The first file of that pattern among the submissions: that of the single run."""
    return sorted(project.paths.submissions.glob(pattern), key=lambda path: len(path.name))[0]


def test_what_was_not_changed_is_equal(submitted, capsys):
    recheck(submitted)
    assert capsys.readouterr().out.count("computed again, equal") == 4
    recheck(submitted, ["one"])
    assert capsys.readouterr().out.count("computed again, equal") == 2


def first_each_time(first, *others):
    """Parameters of which only the first is tried each time."""
    return [first, *(pytest.param(each, marks=pytest.mark.slow) for each in others)]


@pytest.mark.parametrize("method", first_each_time("stacking", "geometric", "rank", "optimised"))
def test_every_method_is_computed_again(folded, method):
    finished_run(folded, "one", 1.0)
    finished_run(folded, "two", 0.8)
    facts = folded.paths.facts
    facts.write_text(facts.read_text().replace("metric: auc", "metric: auc, also: [accuracy, log_loss]"))
    project = Project.open("small")
    submit(project, names=["one", "two"], method=method)
    recheck(project)


@pytest.mark.parametrize(
    "metric", first_each_time("pf1", "macro_f1, also: [auc, accuracy]", "log_loss, also: [ece]", "fbeta, beta: 2")
)
def test_every_post_processing_is_computed_again(folded, metric):
    add_variant(folded.workspace.root, "other", "metric: auc", f"metric: {metric}")
    project = Project.open("other")
    finished_run(project, "one", 1.0)
    submit(project, names=["one"])
    recheck(project)


def with_another_digit(path):
    """Changes the last digit of a table's last number."""
    text = path.read_text().rstrip("\n")
    path.write_text(f"{text[:-1]}{(int(text[-1]) + 5) % 10}\n")


def with_another_number(path, *key):
    """Changes a number in a JSON file a little."""
    content = json.loads(path.read_text())
    here = content
    for step in key[:-1]:
        here = here[step]
    here[key[-1]] += 1e-6
    path.write_text(json.dumps(content))


def changed(path, edit):
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def exchanged(path):
    """The predictions of the first and the last row change places."""
    head, first, *between, last = path.read_text().splitlines()
    one, other = first.split(",", 2), last.split(",", 2)
    one[2], other[2] = other[2], one[2]
    path.write_text("\n".join([head, ",".join(one), *between, ",".join(other), ""]))


CHANGES = {
    "oof.csv of a fold": lambda project: with_another_digit(project.paths.run("one").fold(1).oof),
    "oof.csv of the run": lambda project: with_another_digit(project.paths.run("one").oof),
    "test.csv of a fold": lambda project: with_another_digit(project.paths.run("one").fold(2).test),
    "score": lambda project: with_another_number(project.paths.run("one").score, "value"),
    "score of a fold": lambda project: with_another_number(project.paths.run("one").score, "per_fold", "1"),
    "interval": lambda project: with_another_number(project.paths.run("one").score, "low"),
    "optimism": lambda project: changed(project.paths.run("one").score, lambda kept: kept.update(optimistic=True)),
    "a fold less": lambda project: changed(project.paths.run("one").score, lambda kept: kept["per_fold"].pop("1")),
    "no further metric": lambda project: changed(
        project.paths.run("one").score, lambda kept: kept["facts"]["score"].update(also=["accuracy"])
    ),
    "folds of a submission": lambda project: changed(
        first_of(project, "*.json"), lambda kept: kept["score"]["folds_done"].pop()
    ),
    "interval of a submission": lambda project: with_another_number(first_of(project, "*.json"), "score", "high"),
    "other runs": lambda project: changed(first_of(project, "*.json"), lambda kept: kept.update(runs=["gone"])),
    "score without a metric": lambda project: changed(
        project.paths.run("one").score, lambda kept: kept.update(metric="none")
    ),
    "OOF score in the ledger": lambda project: project.workspace.ledger.write_text(
        project.workspace.ledger.read_text().replace(",auc,0.", ",auc,1.")
    ),
    "number of units": lambda project: with_another_number(project.paths.run("one").score, "units"),
    "submission": lambda project: with_another_digit(first_of(project, "*.csv")),
    "score of a submission": lambda project: with_another_number(first_of(project, "*.json"), "score", "value"),
    "OOF of a submission": lambda project: exchanged(first_of(project, "recheck/*.csv")),
}


@pytest.mark.parametrize(
    "what",
    ["score", *first_each_time("submission", *(name for name in CHANGES if name not in ("score", "submission")))],
)
def test_one_number_that_was_changed_is_noticed(submitted, what):
    CHANGES[what](submitted)
    with pytest.raises(UserError, match=r"\d+ differences: ") as caught:
        recheck(submitted)
    assert "\n" not in str(caught.value)


def test_a_submission_that_is_consistent_in_itself_but_not_what_the_folds_give(submitted):
    """Whoever changes the file, its record and the ledger together is still found out."""
    file, ledger = first_of(submitted, "*.csv"), submitted.workspace.ledger
    with_another_digit(file)
    record = json.loads(file.with_suffix(".json").read_text())
    ledger.write_text(ledger.read_text().replace(record["sha256"], files.sha256(file)))
    file.with_suffix(".json").write_text(json.dumps({**record, "sha256": files.sha256(file)}))
    with pytest.raises(UserError, match="1 row differs from those of the folds"):
        recheck(submitted)


def test_what_cannot_be_computed_again_is_told_and_is_no_difference(submitted, capsys):
    """An older submission without its recheck folder; and one whose run was deleted."""
    first_of(submitted, "recheck/*.npz").unlink()
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
def test_facts_of_today_do_not_decide_how_a_score_was_computed(folded, facts, later, capsys):
    folder = add_variant(folded.workspace.root, "other", "score: {metric: auc}", facts)
    project = Project.open("other")
    finished_run(project, "one", 1.0)
    submit(project, names=["one"], force=True)
    text = (folder / "competition.yaml").read_text()
    (folder / "competition.yaml").write_text(text.replace(facts, later))
    capsys.readouterr()
    recheck(Project.open("other"))
    assert capsys.readouterr().out.count("computed again, equal") == 2


def test_a_submission_renewed_by_other_runs_has_their_row_in_the_ledger(folded, capsys):
    """Weights of 1 and 0: the same predictions, another score."""
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


def test_nothing_to_check_is_one_line(small):
    with pytest.raises(UserError, match="nothing to check. Run: make train COMPETITION=small"):
        recheck(small)
