"""What a run was trained under decides: edits of the facts and of the data afterwards are named, or change nothing."""

import shutil

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from medfold import config, files
from medfold.commands.compare import compare
from medfold.commands.download import download
from medfold.commands.ensemble import ensemble
from medfold.commands.notebook import notebook
from medfold.commands.predict import predict
from medfold.commands.recheck import recheck
from medfold.commands.report import report
from medfold.commands.runs import list_runs
from medfold.commands.submit import submit
from medfold.commands.train import train
from medfold.competition.former_names import with_former_names
from medfold.competition.project import Project
from medfold.data.dataset import load_dataset
from medfold.data.sources.source import open_source
from medfold.errors import UserError
from medfold.runs.identity import facts_of_run, find_changed_fact
from tests.conftest import add_competition, copied
from tests.lookalikes import lookalike_once
from tests.support.helpers import finished_run, noisy_run

THREE = "\n".join(
    [
        "title: Three grades",
        "source: {kind: kaggle-dataset, slug: a/b}",
        "upload: local",
        "task: multiclass",
        "classes: [calm, mild, wild]",
        "labels: {layout: folders, targets: [label], holdout: 0.3}",
        'images: {train: "{label}/{id}.png", channels: 1}',
        "score: {metric: accuracy}",
        "folds: {k: 3}",
    ]
)


@pytest.fixture(scope="session")
def three_once(once):
    """A competition with three classes and a finished run; only to copy."""

    def make(root):
        add_competition(root, "three", THREE)
        for number in range(60):
            name = ("calm", "mild", "wild")[number % 3]
            path = root / "shipped" / name / f"i{number:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(number).integers(0, 256, (24, 24), dtype=np.uint8)
            assert cv2.imwrite(str(path), pixels)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(root)
            project = Project.open("three")
            download(project, path=root / "shipped")
            noisy_run(project, noise=0.3)

    return once("three", make)


@pytest.fixture
def three(three_once, tmp_path, monkeypatch):
    copied(three_once, tmp_path, monkeypatch)
    return Project.open("three")


def edited(project: Project, edit) -> Project:
    """The same competition after an edit of its facts."""
    facts = yaml.safe_load(project.paths.facts.read_text())
    edit(facts)
    project.paths.facts.write_text(yaml.safe_dump(facts, sort_keys=False))
    return Project.open(project.paths.name)


EDITS = {
    "classes": lambda facts: facts.update(classes=["wild", "mild", "calm"]),
    "images.channels": lambda facts: facts["images"].update(channels=3),
    "images.windows": lambda facts: facts["images"].update(windows=[[40, 80]]),
    "images.range": lambda facts: facts["images"].update(range=[0, 100]),
    "images.frame": lambda facts: facts["images"].update(frame="last"),
    "images.symmetry": lambda facts: facts["images"].update(symmetry="dihedral"),
    "score.aggregate": lambda facts: facts["score"].update(aggregate="max"),
    "folds.k": lambda facts: facts["folds"].update(k=4),
    "labels.targets": lambda facts: facts["labels"].update(targets=["diagnosis"]),
}
COMMANDS = {
    "submit": lambda project, name: submit(project, names=[name]),
    "report": lambda project, name: report(project, [name]),
    "ensemble": lambda project, name: ensemble(project, [name]),
    "compare": lambda project, name: compare(project, [name, name]),
    "notebook": lambda project, name: notebook(project, [name]),
}
RECHECK = {"recheck": lambda project, name: recheck(project, [name])}


OTHERS = [pytest.param(command, marks=pytest.mark.slow) for command in COMMANDS if command != "submit"]


@pytest.mark.parametrize("command", ["submit", *OTHERS])
@pytest.mark.parametrize("key", ["classes", *(pytest.param(key, marks=pytest.mark.slow) for key in list(EDITS)[1:])])
def test_an_edit_of_the_facts_is_named(three, key, command):
    project = edited(three, EDITS[key])
    with pytest.raises(UserError) as caught:
        COMMANDS[command](project, "noisy")
    told = str(caught.value)
    assert "\n" not in told
    assert f"run 'noisy' was trained with '{key}'" in told


OF_LOOKALIKES = {
    "labels.targets": (
        "ranzcr-clip-catheter-line-classification",
        lambda facts: facts["labels"].update(targets=facts["labels"]["targets"][::-1]),
    ),
    "score.unit": (
        "rsna-breast-cancer-detection",
        lambda facts: facts["score"].update(unit="{patient_id}_{view}"),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("command", [*COMMANDS, *RECHECK])
@pytest.mark.parametrize("key", OF_LOOKALIKES)
def test_an_edit_of_what_a_row_or_a_column_means_is_named(once, tmp_path, monkeypatch, key, command):
    name, edit = OF_LOOKALIKES[key]
    copied(lookalike_once(once, name), tmp_path, monkeypatch)
    project = Project.open(name)
    noisy_run(project)
    project = edited(project, edit)
    with pytest.raises(UserError, match=f"run 'noisy' was trained with '{key}'") as caught:
        (COMMANDS | RECHECK)[command](project, "noisy")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["classes", *(pytest.param(key, marks=pytest.mark.slow) for key in list(EDITS)[1:])])
def test_an_edit_of_the_facts_does_not_change_what_recheck_finds(three, capsys, key):
    submit(three, names=["noisy"])
    project = edited(three, EDITS[key])
    capsys.readouterr()
    recheck(project)
    said = capsys.readouterr().out
    if key == "labels.targets":
        assert said.count(f"cannot be computed again: run 'noisy' was trained with '{key}'") == 2
        with pytest.raises(UserError, match=f"trained with '{key}'"):
            recheck(project, ["noisy"])
    else:
        assert said.count("computed again, equal") == 2


@pytest.mark.slow
@pytest.mark.parametrize("key", [*EDITS, "labels.targets of the table"])
def test_an_edit_of_the_facts_does_not_change_what_is_predicted(trained, key):
    images = trained.paths.raw / "test"
    before = predict(trained, images)
    edits = {
        **EDITS,
        "classes": lambda facts: facts.update(classes=["1", "0"]),
        "labels.targets of the table": lambda facts: facts["labels"].update(targets=["age"]),
        "folds.k": lambda facts: facts.setdefault("folds", {}).update(k=2),
    }
    project = edited(trained, edits[key])
    pd.testing.assert_frame_equal(predict(project, images), before)


def test_the_default_classes_may_be_spelled_out(folded):
    finished_run(folded)
    project = edited(folded, lambda facts: facts.update(classes=["0", "1"]))
    submit(project)
    assert len(list(project.paths.submissions.glob("*.csv"))) == 1


@pytest.mark.parametrize("key", ["title", "licence"])
def test_an_edit_that_changes_nothing_is_no_edit(three, key):
    submit(three, names=["noisy"])
    before = next(three.paths.submissions.glob("*.csv")).read_bytes()
    project = edited(three, lambda facts: facts.update({key: "another"}))
    submit(project, names=["noisy"], force=True)
    assert {path.read_bytes() for path in project.paths.submissions.glob("*.csv")} == {before}


@pytest.mark.slow
def test_predictions_are_named_as_when_the_run_was_trained(trained, capsys):
    """Classes exchanged after training: the numbers of make predict stay under the words that they were learnt with."""
    images = trained.paths.raw / "test"
    before = predict(trained, images)
    project = edited(trained, lambda facts: facts["labels"].update(targets=["age"]))
    after = predict(project, images)
    pd.testing.assert_frame_equal(after, before)
    assert "named as when baseline was trained: target; competition.yaml now has age" in capsys.readouterr().out


def change_test_part(project: Project, edit) -> None:
    """Edits the raw test images, and the sample submission with them."""
    edit(project.paths.raw / "test", project.paths.raw / "sample_submission.csv")
    hidden = files.read_csv(project.paths.solution, target=str)
    kept = files.read_csv(project.paths.raw / "sample_submission.csv")["id"]
    extra = pd.DataFrame({"id": [id for id in kept if id not in set(hidden["id"])], "target": "0", "usage": "Private"})
    files.write_csv(pd.concat([hidden[hidden["id"].isin(kept)], extra]), project.paths.solution)
    open_source(project).write_manifest()


def added(folder, sample):
    shutil.copy(next(folder.iterdir()), folder / "new.png")
    with sample.open("a") as file:
        file.write("new,0.5\n")


def gone(folder, sample):
    lines = sample.read_text().splitlines()
    (folder / f"{lines[-1].split(',')[0]}.png").unlink()
    sample.write_text("\n".join([*lines[:-1], ""]))


def other(folder, sample):
    first, second = sorted(folder.iterdir())[:2]
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)


PREDICTING = [each for each in OTHERS if each.values != ("compare",)]  # to compare, out-of-fold predictions are enough


@pytest.mark.parametrize("command", ["submit", *PREDICTING])
@pytest.mark.parametrize(
    ("edit", "message"),
    [
        pytest.param(
            added,
            r"the test part has changed since run 'baseline' was trained: 1 added \(new\)",
            marks=pytest.mark.slow,
        ),
        (gone, r"the test part has changed since run 'baseline' was trained: 1 removed \(test_\w+\)"),
        (other, "images of the test part have changed, under the same ids, since run 'baseline' was trained"),
    ],
)
def test_images_of_the_test_part_that_changed_are_named(folded, edit, message, command):
    finished_run(folded)
    change_test_part(folded, edit)
    project = Project.open("small")
    with pytest.raises(UserError, match=message) as caught:
        COMMANDS[command](project, "baseline")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("edit", [pytest.param(added, marks=pytest.mark.slow), gone, other])
def test_a_submission_is_rechecked_though_the_test_part_has_changed_since(folded, capsys, edit):
    finished_run(folded)
    submit(folded)
    change_test_part(folded, edit)
    recheck(Project.open("small"))
    assert capsys.readouterr().out.count("computed again, equal") == 2


@pytest.mark.slow
@pytest.mark.parametrize("edit", [added, gone, other])
def test_predictions_of_new_images_do_not_ask_for_the_test_part(trained, tmp_path, edit):
    images = tmp_path / "images"
    shutil.copytree(trained.paths.raw / "test", images)
    before = predict(trained, images)
    change_test_part(trained, edit)
    pd.testing.assert_frame_equal(predict(Project.open("small"), images), before)


@pytest.mark.parametrize("change", ["line ends", "order of rows"])
def test_folds_are_told_apart_by_what_they_say(folded, change):
    finished_run(folded)
    path = folded.paths.folds
    head, *rows = path.read_text().splitlines()
    if change == "line ends":
        path.write_bytes("\r\n".join([head, *rows, ""]).encode())
    else:
        path.write_text("\n".join([head, *sorted(rows, reverse=True), ""]))
    submit(folded)
    train(folded)  # all folds are done: the run is that of these folds
    start, fold = rows[0].rsplit(",", 1)
    path.write_text("\n".join([head, *rows[1:], f"{start},{(int(fold) + 1) % 3}", ""]))
    with pytest.raises(UserError):
        submit(folded, force=True)


def test_a_run_of_an_older_version_is_known_by_the_hash_of_its_folds_file(folded):
    finished_run(folded)
    run = folded.paths.run("baseline")
    origin = files.read_json(run.metadata)
    origin["folds"] = files.sha256(folded.paths.folds)
    del origin["images"]
    files.write_json(origin, run.metadata)
    submit(folded)
    folded.paths.folds.write_bytes(folded.paths.folds.read_bytes().replace(b"\n", b"\r\n"))
    submit(folded, force=True)


def test_data_that_is_deleted_and_got_again_is_the_same_data(folded):
    finished_run(folded)
    shutil.rmtree(folded.paths.data)
    submit(folded)
    assert len(list(folded.paths.submissions.glob("*.csv"))) == 1


def test_a_score_at_chance_is_submitted_by_force_only(folded):
    finished_run(folded, "noise", quality=-1.0)
    with pytest.raises(UserError, match=r"noise: the OOF score, AUC 0\.\d+, is no better than chance, 0.5000.*FORCE=1"):
        submit(folded, names=["noise"], dry_run=True)
    assert not list(folded.paths.submissions.glob("*"))
    submit(folded, names=["noise"], force=True)
    assert len(list(folded.paths.submissions.glob("*.csv"))) == 1


def relabelled(project: Project, count: int = 3) -> Project:
    """The same competition after other labels of some training images came in."""
    path = project.paths.raw / "train.csv"
    table = files.read_csv(path, target=str)
    table.loc[: count - 1, "target"] = table.loc[: count - 1, "target"].map({"0": "1", "1": "0"})
    files.write_csv(table, path)
    open_source(project).write_manifest()
    return Project.open(project.paths.name)


@pytest.mark.parametrize("command", ["submit", *OTHERS])
def test_labels_that_changed_are_named(folded, command):
    finished_run(folded)
    project = relabelled(folded)
    with pytest.raises(UserError, match="labels of the training part have changed since run 'baseline'") as caught:
        COMMANDS[command](project, "baseline")
    assert "\n" not in str(caught.value)


def test_runs_of_other_labels_or_facts_are_listed_without_a_score(folded, capsys):
    finished_run(folded)
    list_runs(edited(folded, lambda facts: facts["images"].update(symmetry="none")))
    said = capsys.readouterr().out
    assert "(trained with another images.symmetry)" in said
    assert "AUC " not in said.splitlines()[2]
    list_runs(edited(folded, lambda facts: facts["images"].update(symmetry="horizontal")))
    assert "3/3" in capsys.readouterr().out
    project = relabelled(folded)
    load_dataset(project)
    capsys.readouterr()
    list_runs(project)
    assert "(trained on other labels)" in capsys.readouterr().out


@pytest.mark.slow
def test_a_positive_class_that_was_exchanged_is_told(trained, capsys):
    images = trained.paths.raw / "test"
    before = predict(trained, images)
    capsys.readouterr()
    after = predict(edited(trained, lambda facts: facts.update(classes=["1", "0"])), images)
    pd.testing.assert_frame_equal(after, before)
    told = (
        "'target' is the probability of '1', as when baseline was trained; competition.yaml now has '0' as the positive"
    )
    assert told in capsys.readouterr().out


def test_a_run_that_was_recorded_with_former_names_has_the_same_facts(three):
    run = three.paths.run("noisy")
    metadata = files.read_json(run.metadata)
    assert metadata["facts"]["labels"]["layout"] == "folders"
    files.write_json({**metadata, "facts": with_former_names(metadata["facts"])}, run.metadata)
    assert files.read_json(run.metadata)["facts"]["labels"]["shape"] == "folders"
    assert facts_of_run(three, "noisy") == three.competition
    every_key = tuple(config.flat(three.competition.model_dump()))
    assert find_changed_fact(three, "noisy", every_key) is None
    score = files.read_json(run.score)
    files.write_json({**score, "facts": with_former_names(score["facts"])}, run.score)
    submit(three, names=["noisy"])
    recheck(three)
