"""Facts of a competition: variants, contradictions, reserved names."""

import pytest
import yaml

from medfold.competition import Competition, ImageFacts
from medfold.competition.facts import CompetitionFacts
from tests.support import helpers
from tests.support.helpers import competition_facts, refused
from tests.support.label_tables import facts
from tests.support.small_project import SMALL, add_competition


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": {"test": "a/{id}.png"}}, "'images.train' is missing: the pattern of the training images"),
        (
            {"images": {"train": "a/{id}.png"}},
            "no test set: set either 'images.test' .* or 'labels.holdout'",
        ),
        ({"labels": {"targets": ["t"], "holdout": 0.2}}, "'images.test' and 'labels.holdout' are both set: remove one"),
        (
            {
                "images": {"train": "a/{id}.png"},
                "labels": {"targets": ["t"], "holdout": 0.2},
                "submission": {"sample": "s.csv"},
            },
            "has no 'submission.sample'",
        ),
        (
            {"images": {"train": "a", "test": "b", "windows": ["brain"], "channels": 3}},
            "'images.channels' is 3, and 'images.windows' has 1: each window is a channel. Set channels to 1",
        ),
        ({"images": {"train": "a", "test": "b", "channels": 9}}, "1 to 8, found 9"),
        (
            {"labels": {"targets": ["t"], "group": "p", "keep_columns": ["p"]}},
            "'labels.keep_columns' would publish the group column 'p'",
        ),
        (
            {"score": {"metric": "auc", "weights": {"x": 2}}},
            "'score.weights' names 'x', which is not in 'labels.targets'",
        ),
        ({"score": {"metric": None}}, "'score.metric': not filled in yet"),
    ],
)
def test_contradicting_facts_are_refused(project_folder, changes, message):
    facts = {**yaml.safe_load(SMALL), **changes}
    facts["labels"].setdefault("file", "train.csv")
    add_competition(project_folder, "odd", yaml.safe_dump(facts))
    with refused(message):
        Competition.open("odd")


def test_score_unit_is_refused_for_multiclass():
    with pytest.raises(ValueError, match="'score.unit' is for tasks binary"):
        helpers.competition_facts("multiclass", score={"metric": "mean_auc", "unit": "{a}"})


@pytest.mark.parametrize(
    ("task", "label_names", "prediction_columns"),
    [
        ("binary", ["0", "1"], ["target"]),
        ("multiclass", ["0", "1", "2"], ["0", "1", "2"]),
        ("multilabel", ["a", "b"], ["a", "b"]),
    ],
)
def test_labels_and_prediction_columns_have_names(task, label_names, prediction_columns):
    found = helpers.competition_facts(task)
    assert (found.label_names, found.prediction_columns) == (label_names, prediction_columns)


def test_num_channels_counts_named_channels():
    images = ImageFacts(train="a", test="b", channels=["red", "green"])
    assert images.num_channels == 2
    assert ImageFacts(train="a", test="b").num_channels == 3


@pytest.mark.parametrize(
    ("task", "change", "message"),
    [
        (
            "binary",
            {"labels": {"targets": ["image"]}},
            "'labels.targets' has 'image', which is reserved for medfold's own",
        ),
        (
            "binary",
            {"labels": {"targets": ["x"], "group": "patient", "group_pattern": "p."}},
            "'labels.group' and 'labels.group_pattern' both define the groups: remove one",
        ),
        (
            "binary",
            {"labels": {"targets": ["x"], "keep_columns": ["group"]}},
            "'labels.keep_columns' has 'group', which is reserved for medfold's",
        ),
        ("multilabel", {"labels": {"targets": ["x", "y", "x"]}}, "'labels.targets' has 'x' twice"),
        ("multilabel", {"labels": {"targets": ["x"]}}, "for a single one, use task binary"),
        ("multiclass", {"classes": ["a", "b", "c", "a"]}, "'classes' has 'a' twice"),
        (
            "multiclass",
            {"classes": ["a", "fold", "c"]},
            "a class has the name 'fold', which is reserved for medfold's own tables",
        ),
    ],
)
def test_reserved_or_repeated_names_are_refused(task, change, message):
    with pytest.raises(ValueError, match=message):
        helpers.competition_facts(task, **change)


def test_arrays_need_no_image_patterns(project_folder):
    layout = {"layout": "arrays", "file": "x.npz", "targets": ["t"]}
    facts = {**yaml.safe_load(SMALL), "labels": layout, "images": {"channels": 1}, "submission": {}}
    folder = add_competition(project_folder, "arrays", yaml.safe_dump(facts))
    assert Competition.open("arrays").facts.images.train == []
    facts["labels"] = {**layout, "holdout": 0.2}
    (folder / "competition.yaml").write_text(yaml.safe_dump(facts))
    with refused("'labels.holdout': remove it; .* arrays"):
        Competition.open("arrays")


def test_arrays_are_by_default_in_the_file_of_the_source():
    layout = {"layout": "arrays", "targets": ["t"]}
    source = {"kind": "url", "url": "https://example.org/x", "file": "x.npz", "md5": "0"}
    assert competition_facts(labels=layout, source=source).labels.file == "x.npz"
    assert competition_facts(labels={**layout, "file": "y.npz"}, source=source).labels.file == "y.npz"
    with pytest.raises(ValueError, match="'labels.file' is missing: the file with the arrays, such as data.npz"):
        competition_facts(labels=layout, source={"kind": "own"})


@pytest.mark.parametrize(
    ("labels", "method"),
    [
        ({}, "stratified"),
        ({"group": "patient_id"}, "stratified_group"),
        ({"group_pattern": "p(.*)"}, "stratified_group"),
    ],
)
def test_folds_method_follows_from_the_groups(labels, method):
    facts = _facts(labels={"file": "train.csv", "targets": ["target"], **labels})
    assert facts.folds.method == facts.model_dump()["folds"]["method"] == method
    written_out = {**facts.model_dump(), "folds": {"method": "group"}}
    assert CompetitionFacts.model_validate(written_out).folds.method == "group"
    assert CompetitionFacts.model_validate(facts.model_dump()) == facts


@pytest.mark.parametrize(
    ("submission", "score", "expected"),
    [
        ({"sample": "sample.csv"}, {}, "image_id"),
        ({"sample": "sample.csv", "id": "key"}, {}, "key"),
        ({"sample": "sample.csv"}, {"unit": "{patient}"}, "id"),
        ({}, {}, "id"),
    ],
)
def test_id_column_of_the_submission_is_that_of_the_labels(submission, score, expected):
    labels = {"file": "train.csv", "id": "image_id", "targets": ["target"]}
    facts = _facts(labels=labels, submission=submission, score={"metric": "auc", **score})
    assert facts.submission.id == facts.model_dump()["submission"]["id"] == expected


def _facts(**sections):
    """Facts of a binary task with test images."""
    required = {
        "title": "x",
        "source": {"kind": "own"},
        "upload": "none",
        "task": "binary",
        "images": {"train": "{id}.png", "test": "t/{id}.png"},
        "score": {"metric": "auc"},
    }
    return CompetitionFacts.model_validate({**required, **sections})


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"holdout": 0.2}, "'labels.split' and 'labels.holdout' both define the test set"),
        ({"test_file": "test.csv"}, "'labels.split' and 'labels.test_file' both define"),
        ({"layout": "long", "value": "sick"}, "'labels.split' is for tables with a row for each image"),
        ({"layout": "one_hot", "map": {"?": "0"}}, "'labels.map': remove it; the columns of labels.layout one_hot"),
    ],
)
def test_split_column_that_contradicts_other_facts_is_refused(more, message):
    with pytest.raises(ValueError, match=message):
        facts(split="split", **more)


def test_label_map_to_unknown_class_is_refused():
    with pytest.raises(ValueError, match="'labels.map' maps a value to 'ill': write one of 0, 1"):
        facts(split="split", map={"?": "ill"})


def test_label_that_contains_the_separator_is_refused():
    labels = {"targets": ["Mass", "Pleural fluid"]}
    with pytest.raises(ValueError, match="a list separated by ' ' cannot contain 'Pleural fluid'"):
        competition_facts("multilabel", labels=labels, submission={"layout": "lists"}, score={"metric": "macro_f1"})
    labels["separator"] = "|"
    competition_facts("multilabel", labels=labels, submission={"layout": "lists"}, score={"metric": "macro_f1"})


def test_names_are_those_of_classes_or_of_the_labels_of_a_multilabel_task():
    assert competition_facts("multilabel").label_names == ["a", "b"]
    assert competition_facts("ordinal").label_names == ["0", "1", "2"]
    assert competition_facts(classes=["no", "yes"]).label_names == ["no", "yes"]
