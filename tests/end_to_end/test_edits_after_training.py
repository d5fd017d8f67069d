"""Runs after edits of the facts or the data: commands refuse them, or use what the run was trained with."""

import shutil

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from medfold import config
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
from medfold.competition import Competition
from medfold.data import make_dataset, open_source
from medfold.earlier_versions import RUN, SCORE, with_former_names
from medfold.errors import UserError
from medfold.runs import Run, check_same_facts, dataset_of_runs, facts_of_run
from medfold.system import json_files
from medfold.system.hashes import sha256
from medfold.tables import read_csv, write_csv
from tests.lookalikes import lookalike_once
from tests.support.finished_runs import finished_run, noisy_run
from tests.support.helpers import refused
from tests.support.small_project import add_competition, copy_project

pytestmark = pytest.mark.slow

THREE = "\n".join(
    [
        "title: Three grades",
        "source: {kind: kaggle_dataset, slug: a/b}",
        "upload: none",
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
            competition = Competition.open("three")
            download(competition, path=root / "shipped")
            noisy_run(competition, noise=0.3)

    return once("three", make)


@pytest.fixture
def three(three_once, tmp_path, monkeypatch):
    copy_project(three_once, tmp_path, monkeypatch)
    return Competition.open("three")


def edited(competition: Competition, edit) -> Competition:
    """Opens the competition again after an edit of its facts."""
    facts = yaml.safe_load(competition.paths.facts_file.read_text())
    edit(facts)
    competition.paths.facts_file.write_text(yaml.safe_dump(facts, sort_keys=False))
    return Competition.open(competition.paths.name)


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


def copy_of_run(competition, name: str) -> str:
    """Copies a run, since `compare` refuses to compare a run with itself; returns the name of the copy."""
    shutil.copytree(competition.paths.run(name).folder, competition.paths.run("z-copy").folder, dirs_exist_ok=True)
    return "z-copy"


COMMANDS = {
    "submit": lambda competition, name: submit(competition, run_names=[name]),
    "report": lambda competition, name: report(competition, [name]),
    "ensemble": lambda competition, name: ensemble(competition, [name]),
    "compare": lambda competition, name: compare(competition, [name, copy_of_run(competition, name)]),
    "notebook": lambda competition, name: notebook(competition, [name]),
}
RECHECK = {"recheck": lambda competition, name: recheck(competition, [name])}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("key", EDITS)
def test_edited_fact_raises_with_its_key(three, key, command):
    competition = edited(three, EDITS[key])
    with pytest.raises(UserError) as caught:
        COMMANDS[command](competition, "noisy")
    error = str(caught.value)
    assert "\n" not in error
    assert f"run 'noisy' was trained with '{key}'" in error


LOOKALIKE_EDITS = {
    "labels.targets": (
        "ranzcr-clip-catheter-line-classification",
        lambda facts: facts["labels"].update(targets=facts["labels"]["targets"][::-1]),
    ),
    "score.unit": (
        "rsna-breast-cancer-detection",
        lambda facts: facts["score"].update(unit="{patient_id}_{view}"),
    ),
}


@pytest.mark.parametrize("command", [*COMMANDS, *RECHECK])
@pytest.mark.parametrize("key", LOOKALIKE_EDITS)
def test_edited_targets_or_unit_raise_with_key(once, tmp_path, monkeypatch, key, command):
    name, edit = LOOKALIKE_EDITS[key]
    copy_project(lookalike_once(once, name), tmp_path, monkeypatch)
    competition = Competition.open(name)
    noisy_run(competition)
    competition = edited(competition, edit)
    with refused(f"run 'noisy' was trained with '{key}'") as caught:
        (COMMANDS | RECHECK)[command](competition, "noisy")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", EDITS)
def test_recheck_uses_facts_of_the_run(three, capsys, key):
    submit(three, run_names=["noisy"])
    competition = edited(three, EDITS[key])
    capsys.readouterr()
    recheck(competition)
    output = capsys.readouterr().out
    if key == "labels.targets":
        assert output.count(f"cannot be recomputed: run 'noisy' was trained with '{key}'") == 2
        with refused(f"trained with '{key}'"):
            recheck(competition, ["noisy"])
    else:
        assert output.count("recomputed: identical") == 2


@pytest.mark.parametrize("key", [*EDITS, "labels.targets of the table"])
def test_predict_uses_facts_of_the_run(trained, key):
    images = trained.paths.raw / "test"
    before = predict(trained, images).table
    edits = {
        **EDITS,
        "classes": lambda facts: facts.update(classes=["1", "0"]),
        "labels.targets of the table": lambda facts: facts["labels"].update(targets=["age"], keep_columns=["sex"]),
        "folds.k": lambda facts: facts.setdefault("folds", {}).update(k=2),
    }
    competition = edited(trained, edits[key])
    pd.testing.assert_frame_equal(predict(competition, images).table, before)


def test_spelled_out_default_classes_are_accepted(folded):
    finished_run(folded)
    competition = edited(folded, lambda facts: facts.update(classes=["0", "1"]))
    submit(competition)
    assert len(list(competition.paths.submissions.glob("*.csv"))) == 1


@pytest.mark.parametrize("key", ["title", "licence"])
def test_editing_title_or_licence_keeps_the_submission(three, key):
    submit(three, run_names=["noisy"])
    before = next(three.paths.submissions.glob("*.csv")).read_bytes()
    competition = edited(three, lambda facts: facts.update({key: "another"}))
    submit(competition, run_names=["noisy"], force=True)
    assert {path.read_bytes() for path in competition.paths.submissions.glob("*.csv")} == {before}


def test_predictions_keep_column_names_of_the_run(trained, capsys):
    """Targets renamed after training: predictions keep the column names of the training."""
    images = trained.paths.raw / "test"
    before = predict(trained, images).table
    competition = edited(trained, lambda facts: facts["labels"].update(targets=["age"], keep_columns=["sex"]))
    after = predict(competition, images).table
    pd.testing.assert_frame_equal(after, before)
    assert "the names from the training of baseline (target); competition.yaml now has age" in capsys.readouterr().out


def change_test_set(competition: Competition, edit) -> None:
    """Edits the raw test images and the sample submission, and updates the solution."""
    edit(competition.paths.raw / "test", competition.paths.raw / "sample_submission.csv")
    solution = read_csv(competition.paths.solution, target=str)
    kept = read_csv(competition.paths.raw / "sample_submission.csv")["id"]
    extra = pd.DataFrame(
        {"id": [id for id in kept if id not in set(solution["id"])], "target": "0", "usage": "Private"}
    )
    write_csv(pd.concat([solution[solution["id"].isin(kept)], extra]), competition.paths.solution)
    open_source(competition).write_manifest()


def add_image(folder, sample):
    shutil.copy(next(folder.iterdir()), folder / "new.png")
    with sample.open("a") as file:
        file.write("new,0.5\n")


def remove_image(folder, sample):
    lines = sample.read_text().splitlines()
    (folder / f"{lines[-1].split(',')[0]}.png").unlink()
    sample.write_text("\n".join([*lines[:-1], ""]))


def swap_images(folder, sample):
    first, second = sorted(folder.iterdir())[:2]
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)


PREDICTING = [command for command in COMMANDS if command != "compare"]  # compare reads only OOF predictions


@pytest.mark.parametrize("command", PREDICTING)
@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (add_image, r"the test set has changed since run 'baseline' was trained: 1 added \(new\)"),
        (remove_image, r"the test set has changed since run 'baseline' was trained: 1 removed \(test_\w+\)"),
        (swap_images, "images of the test set have changed, under the same ids, since run 'baseline' was trained"),
    ],
)
def test_changed_test_set_is_refused(folded, edit, message, command):
    finished_run(folded)
    change_test_set(folded, edit)
    competition = Competition.open("small")
    with refused(message) as caught:
        COMMANDS[command](competition, "baseline")
    assert "\n" not in str(caught.value)


def test_changed_training_images_are_refused(folded):
    finished_run(folded)
    swap_images(folded.paths.raw / "train", None)
    open_source(folded).write_manifest()
    with refused("images of the training set have changed, under the same ids, since run 'baseline' was trained"):
        submit(Competition.open("small"))


@pytest.mark.parametrize("edit", [add_image, remove_image, swap_images])
def test_recheck_works_after_changed_test_set(folded, capsys, edit):
    finished_run(folded)
    submit(folded)
    change_test_set(folded, edit)
    recheck(Competition.open("small"))
    assert capsys.readouterr().out.count("recomputed: identical") == 2


@pytest.mark.parametrize("edit", [add_image, remove_image, swap_images])
def test_predict_works_after_changed_test_set(trained, tmp_path, edit):
    images = tmp_path / "images"
    shutil.copytree(trained.paths.raw / "test", images)
    before = predict(trained, images).table
    change_test_set(trained, edit)
    pd.testing.assert_frame_equal(predict(Competition.open("small"), images).table, before)


@pytest.mark.parametrize("change", ["line ends", "order of rows"])
def test_folds_are_compared_by_content(folded, change):
    finished_run(folded)
    path = folded.paths.folds_table
    head, *rows = path.read_text().splitlines()
    if change == "line ends":
        path.write_bytes("\r\n".join([head, *rows, ""]).encode())
    else:
        path.write_text("\n".join([head, *sorted(rows, reverse=True), ""]))
    submit(folded)
    train(folded)  # all folds are trained: the run is that of these folds
    start, fold = rows[0].rsplit(",", 1)
    path.write_text("\n".join([head, *rows[1:], f"{start},{(int(fold) + 1) % 3}", ""]))
    with refused("is in two folds"):
        submit(folded, force=True)


def test_older_run_is_matched_by_folds_file_hash(folded):
    finished_run(folded)
    run = folded.paths.run("baseline")
    metadata = {**json_files.read(run.metadata), "folds_fingerprint": sha256(folded.paths.folds_table)}
    del metadata["images_fingerprints"]  # earlier versions recorded none
    json_files.write(metadata, run.metadata)
    submit(folded)
    (submission,) = folded.paths.submissions.glob("*.csv")
    content = submission.read_bytes()
    folded.paths.folds_table.write_bytes(folded.paths.folds_table.read_bytes().replace(b"\n", b"\r\n"))
    submit(folded, force=True)
    assert {path.read_bytes() for path in folded.paths.submissions.glob("*.csv")} == {content}
    json_files.write({**metadata, "folds_fingerprint": sha256(run.metadata)}, run.metadata)
    with refused("the run was trained on a different folds table"):
        submit(folded, force=True)


def test_data_downloaded_again_is_accepted(folded):
    finished_run(folded)
    shutil.rmtree(folded.paths.data)
    submit(folded)
    assert len(list(folded.paths.submissions.glob("*.csv"))) == 1


def relabelled(competition: Competition, count: int = 3) -> Competition:
    """Opens the competition again after some training labels were flipped."""
    path = competition.paths.raw / "train.csv"
    table = read_csv(path, target=str)
    table.loc[: count - 1, "target"] = table.loc[: count - 1, "target"].map({"0": "1", "1": "0"})
    write_csv(table, path)
    open_source(competition).write_manifest()
    return Competition.open(competition.paths.name)


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (
            "make train COMPETITION=small RECIPE=gpu SEEDS=1",
            "make train COMPETITION=small RECIPE=gpu SEEDS=1 RUN=new-name",
        ),
        ("make train COMPETITION=small RUN=mine", "make train COMPETITION=small RUN=new-name"),
        (None, "make train COMPETITION=small RUN=new-name"),
    ],
)
def test_advice_to_train_again_keeps_the_recipe_of_the_run(folded, command, advice):
    finished_run(folded)
    run = folded.paths.run("baseline")
    json_files.write({**json_files.read(run.metadata), "command": command}, run.metadata, sealed=True)
    with refused(f"Train it again under another name: {advice}$"):
        dataset_of_runs(relabelled(folded), ["baseline"])


@pytest.mark.parametrize("command", COMMANDS)
def test_changed_labels_raise(folded, command):
    finished_run(folded)
    competition = relabelled(folded)
    with refused("labels of the training set have changed since run 'baseline'") as caught:
        COMMANDS[command](competition, "baseline")
    assert "\n" not in str(caught.value)


def test_list_runs_hides_scores_of_outdated_runs(folded, capsys):
    finished_run(folded)
    list_runs(edited(folded, lambda facts: facts["images"].update(symmetry="none")))
    output = capsys.readouterr().out
    assert "(trained with a different images.symmetry)" in output
    assert "AUC " not in output.splitlines()[2]
    list_runs(edited(folded, lambda facts: facts["images"].update(symmetry="horizontal")))
    assert "3/3" in capsys.readouterr().out
    competition = relabelled(folded)
    make_dataset(competition)
    capsys.readouterr()
    list_runs(competition)
    assert "(trained on other labels)" in capsys.readouterr().out


def test_predict_reports_exchanged_positive_class(trained, capsys):
    images = trained.paths.raw / "test"
    before = predict(trained, images).table
    capsys.readouterr()
    after = predict(edited(trained, lambda facts: facts.update(classes=["1", "0"])), images).table
    pd.testing.assert_frame_equal(after, before)
    warning = (
        "'target' is the probability of '1', as when baseline was trained; competition.yaml now has '0' as the positive"
    )
    assert warning in capsys.readouterr().out


def test_a_run_that_was_recorded_with_former_names_has_the_same_facts(three):
    run = three.paths.run("noisy")
    metadata = json_files.read(run.metadata)
    assert metadata["facts"]["labels"]["layout"] == "folders"
    json_files.write(with_former_names(metadata, RUN), run.metadata, sealed=True)
    written = json_files.read(run.metadata)
    assert written["facts"]["labels"]["shape"] == "folders"
    assert {"folds", "images", "labels", "store", "pretrained"} <= set(written)
    assert facts_of_run(three, Run.open(three, "noisy")) == three.facts
    check_same_facts(three, Run.open(three, "noisy"), tuple(config.flat(three.facts.model_dump())))
    score = json_files.read(run.score)
    json_files.write(with_former_names(score, SCORE), run.score, sealed=True)
    assert {"units", "optimistic", "also"} <= set(json_files.read(run.score))
    submit(three, run_names=["noisy"])
    recheck(three)
