"""Phases of a training: which there are, with their nets, inputs, learning rates and losses."""

import keras
import numpy as np
import pytest

from medfold.competition import Recipe, TrainingSettings
from medfold.config import merge
from medfold.models import build_net
from medfold.training.batches.batches import TrainingBatches
from medfold.training.loop.losses import build_loss
from medfold.training.loop.phases import TrainingImages, plan_phases
from tests.support.nets import facts, recipe

NUM_IMAGES, VIEWS = 12, 4


@pytest.fixture(scope="module")
def net():
    """A small net for binary tasks; its weights are not changed here."""
    return build_net(facts(), recipe("simple_cnn", size=16))


@pytest.fixture
def images(net, tmp_path):
    """Images with the features of the net."""
    num_features = net.get_layer("head").input.shape[-1]
    np.save(tmp_path / "features.npy", np.zeros((NUM_IMAGES, VIEWS, num_features), np.float32))
    pixels = np.zeros((NUM_IMAGES, 16, 16, 1), np.uint8)
    targets = np.arange(10) % 5 // 4  # eight of the first class, two of the second
    return TrainingImages(pixels, tmp_path / "features.npy", np.arange(10), targets, seed=3, num_workers=2)


@pytest.fixture
def plan(net, images):
    """Returns a function that plans the phases of a recipe with these changes."""

    def run(precision="float32", augment="none", **training):
        changes = {"augment": augment, "training": {"batch_size": 4, "epochs": 0, **training}}
        changed = Recipe.model_validate(merge(recipe("simple_cnn", size=16).model_dump(), changes))
        return plan_phases(facts(), changed, net, images, precision)

    return run


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        ({"head_epochs": 3, "epochs": 5}, [("head", 3), ("all", 5)]),
        ({"head_epochs": 3, "epochs": 0}, [("head", 3)]),
        ({"head_epochs": 0, "epochs": 5}, [("all", 5)]),
    ],
)
def test_phases_are_those_with_epochs(plan, epochs, expected):
    assert [(phase.name, phase.epochs) for phase in plan(**epochs)] == expected


def test_head_is_trained_on_features_by_this_process(plan, net):
    (phase,) = plan(head_epochs=1)
    assert phase.net_inputs.shape == (NUM_IMAGES, VIEWS, net.get_layer("head").input.shape[-1])
    assert phase.view_of(phase.net_inputs, 2).shape == (NUM_IMAGES, phase.net_inputs.shape[2])
    assert phase.batch_trainer.net is not net
    assert phase.num_workers == 0
    assert phase.prefix == "head, "


def test_net_is_trained_on_pixels_by_workers(plan, net, images):
    (phase,) = plan(epochs=1)
    assert phase.net_inputs is images.store_pixels
    assert phase.view_of is None
    assert phase.batch_trainer.net is net
    assert phase.num_workers == 2
    assert phase.prefix == ""


@pytest.mark.parametrize(("augment", "num_views"), [("none", 1), ("xray", VIEWS)])
def test_head_learns_from_the_plain_view_only_without_augmentation(plan, augment, num_views):
    (phase,) = plan(augment=augment, head_epochs=1)
    assert phase.batches.net_inputs.shape[1] == num_views
    assert phase.net_inputs.shape[1] == VIEWS  # for predictions


def test_phases_have_their_own_learning_rates(plan):
    rates = {"head_learning_rate": 0.25, "learning_rate": 0.125}
    phases = plan(head_epochs=1, epochs=1, schedule="constant", **rates)
    assert [float(phase.batch_trainer.net.optimizer.learning_rate) for phase in phases] == [0.25, 0.125]


def test_schedule_ends_with_the_last_batch_of_the_phase(plan, images):
    (phase,) = plan(epochs=5, schedule="cosine", learning_rate=0.125, warmup=0)
    schedule = phase.batch_trainer.net.optimizer._learning_rate
    assert phase.batches.batches_per_epoch == 2  # of ten images
    assert float(schedule(0)) == pytest.approx(0.125)
    assert 0 < float(schedule(9)) < 0.01
    assert float(schedule(10)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", ["head_epochs", "epochs"])
def test_net_is_compiled_with_the_loss_of_the_recipe(plan, name):
    settings = {"loss": "focal", "focal_gamma": 3.0}
    (phase,) = plan(**{name: 1}, **settings)
    truth, output = np.array([[1.0]], np.float32), np.array([[0.4]], np.float32)
    expected = build_loss(facts(), TrainingSettings.model_validate(settings))
    assert float(phase.batch_trainer.net.loss(truth, output)) == float(expected(truth, output))


@pytest.mark.parametrize(("setting", "is_compiled"), [(True, True), (False, False)])
def test_training_step_is_compiled_if_the_recipe_says_so(plan, setting, is_compiled):
    (phase,) = plan(epochs=1, jit_compile=setting)
    assert phase.batch_trainer.net.jit_compile is is_compiled


@pytest.mark.parametrize(("augment", "changes"), [("none", False), ("xray", True)])
def test_images_are_augmented_as_the_recipe_says(plan, augment, changes):
    (phase,) = plan(epochs=1, augment=augment)
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 1), dtype=np.uint8)
    assert any((phase.batches.augment(image, seed) != image).any() for seed in range(5)) is changes


@pytest.mark.parametrize(("precision", "is_scaled"), [("float32", False), ("bfloat16", False), ("float16", True)])
def test_loss_is_scaled_in_float16_only(plan, precision, is_scaled):
    (phase,) = plan(precision, epochs=1)
    assert isinstance(phase.batch_trainer.net.optimizer, keras.optimizers.LossScaleOptimizer) is is_scaled


@pytest.mark.parametrize("name", ["head_epochs", "epochs"])
def test_batches_have_the_images_seed_and_size_of_the_fold(plan, name, images):
    (phase,) = plan(**{name: 1})
    batches = phase.batches
    assert isinstance(batches, TrainingBatches)
    assert batches.rows is images.rows
    assert (batches.batch_size, batches.seed) == (4, 3)
    assert batches.targets[:, 0].tolist() == images.targets.tolist()
    assert batches.classes is None
    assert batches.mix is None


def test_balanced_sampler_knows_the_classes(plan, images):
    (phase,) = plan(epochs=1, sampler="balanced")
    assert phase.batches.classes.tolist() == images.targets.tolist()


def test_balanced_weights_give_each_class_the_same_sum(plan, images):
    (phase,) = plan(epochs=1, class_weights="balanced")
    weights, targets = phase.batches.sample_weights, images.targets
    assert weights[targets == 0].sum() == pytest.approx(weights[targets == 1].sum())


@pytest.mark.parametrize(
    ("choices", "mixes_head", "mixes_all"),
    [({"mixup": 0.5}, True, True), ({"cutmix": 0.5}, False, True), ({"mixup": 0.5, "cutmix": 0.5}, True, True)],
)
def test_features_are_mixed_by_mixup_only(plan, choices, mixes_head, mixes_all):
    head, everything = plan(head_epochs=1, epochs=1, **choices)
    assert (head.batches.mix is not None) is mixes_head
    assert (everything.batches.mix is not None) is mixes_all
    if mixes_head:
        assert head.batches.mix.cutmix == 0
