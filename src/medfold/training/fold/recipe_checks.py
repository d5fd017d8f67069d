"""Checks that a recipe and the images of a fold suffice for training, before the training starts."""

from medfold.competition import CompetitionFacts, Recipe, TrainingSettings
from medfold.errors import SettingError, UserError
from medfold.images import steps_of
from medfold.models import check_buildable
from medfold.registry import load_plugins
from medfold.text import count_of
from medfold.training.batches import class_balance
from medfold.training.batches.augmentation import build_augmenter
from medfold.training.loop import losses
from medfold.training.loop.callbacks import check_callbacks
from medfold.training.loop.phases import Phase, TrainingImages


def check_trainable(facts: CompetitionFacts, recipe: Recipe) -> None:
    """Checks that any fold can be trained with a recipe, before images are prepared.

    Raises:
        UserError: plugins.py fails.
        SettingError: preparation, backbone, weights, head or augmentation are impossible, or the recipe has no epochs.
    """
    load_plugins()  # also if the recipe names nothing of it: its hash becomes a part of the run
    steps_of(recipe.preparation)
    losses.LOSSES.find(recipe.training.loss, "training.loss")
    check_callbacks(recipe.training.callbacks)
    check_buildable(facts, recipe)
    size = recipe.preparation.size
    build_augmenter(recipe.augment, facts.images.symmetry, (size, size, facts.images.num_channels))
    if not recipe.training.epochs and not recipe.training.head_epochs:
        raise SettingError("nothing is trained", "training.epochs", "Set it, or training.head_epochs, to 1 or more")
    if recipe.training.head_epochs:
        check_pretrained_weights(recipe)


def check_pretrained_weights(recipe: Recipe) -> None:
    """Checks that the backbone has pretrained weights, which training the head alone needs.

    Raises:
        SettingError: backbone.weights is none.
    """
    if recipe.backbone.weights == "none":
        fix = "Set backbone.weights to imagenet or a file, or training.head_epochs to 0"
        raise SettingError("a backbone without weights has no features to learn from", "training.head_epochs", fix)


def check_training_images(
    facts: CompetitionFacts, training: TrainingSettings, images: TrainingImages, topic: str
) -> None:
    """Checks that the images of a fold suffice for training, before a net is built.

    Args:
        facts: facts of the competition (the names of the classes).
        training: the settings `training` (the batch size).
        images: the images to train on, with their targets.
        topic: name of the training in messages, such as `fold 0`.

    Raises:
        UserError: there are no images, a class has none, or they do not fill a batch.
    """
    if len(images.rows) == 0:
        fix = "data/<competition>/unreadable_images.csv lists the images that cannot be read, with the reasons"
        raise UserError("no readable image to train on", topic, fix)
    class_balance.check_classes_present(facts, images.targets, topic)
    if training.batch_size > len(images.rows):
        num_images = count_of(len(images.rows), "image")
        what = f"a batch of {training.batch_size} is more than the {num_images} to train on"
        raise SettingError(what, "training.batch_size", f"Set it to {len(images.rows)} or less", topic)


def check_num_batches(training: TrainingSettings, phases: list[Phase], topic: str) -> None:
    """Checks that each phase has the batches for at least one step of the optimizer.

    Args:
        training: `accumulation_steps` is the number of batches per step.
        phases: the phases of the training.
        topic: name of the training in messages, such as `fold 0`.

    Raises:
        SettingError: a phase has fewer batches than a step needs.
    """
    for phase in phases:
        num_batches = phase.batches.batches_per_epoch * phase.epochs
        if num_batches < training.accumulation_steps:
            num_needed = training.accumulation_steps
            what = f"{num_needed} batches make a step, and there are {num_batches}: no step is ever taken"
            raise SettingError(what, "training.accumulation_steps", f"Set it to {num_batches} or less", topic)
