"""One fold: train on the others, predict the fold and the test part."""

from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from medfold import files, inference, models
from medfold.competition import Competition
from medfold.errors import UserError
from medfold.images.store import Store
from medfold.paths import FoldPaths
from medfold.recipe import Recipe
from medfold.runs import as_scored, predictions_table
from medfold.scoring import metrics
from medfold.terminal import console, progress, say
from medfold.training.allocator import keep_freed_memory
from medfold.training.augment import augmenter
from medfold.training.pipeline import Pipeline

tf.get_logger().setLevel("ERROR")  # it warns of a new graph per fold, which is meant


@dataclass(frozen=True)
class Task:
    """What to train.

    Args:
        competition, recipe, seed: what decides the run.
        store: the prepared images.
        train: the training samples: id, fold; in the order of `targets`.
        targets: int (n,) or (n, labels).
        test: the test samples: id.
    """

    competition: Competition
    recipe: Recipe
    seed: int
    store: Store
    train: pd.DataFrame
    targets: np.ndarray
    test: pd.DataFrame


def train_fold(task: Task, fold: int, paths: FoldPaths) -> float:
    """Trains a fold and writes weights, history, OOF and test predictions, and the marker that it is done.

    Returns:
        The score on the fold, nan if undefined.

    Raises:
        UserError: too few images for a batch, or a loss that is not a number.
    """
    keras.backend.clear_session()
    keep_freed_memory()
    cv2.setNumThreads(1)  # images are small, and the pipeline has threads of its own
    competition, recipe = task.competition, task.recipe
    held_out = (task.train["fold"] == fold).to_numpy()
    model, history = _fit(task, fold, held_out)
    predictor = inference.Predictor(model, competition.images.symmetry, recipe.tta)
    with progress("images") as bar:
        line = bar.add_task("predict", stage=f"fold {fold}", total=int(held_out.sum()) + len(task.test))

        def predict(ids: pd.Series) -> np.ndarray:
            return predictor(task.store.pixels, task.store.of(ids), lambda count: bar.advance(line, count))

        oof, test = predict(task.train["id"][held_out]), predict(task.test["id"])

    for stale in (paths.done, paths.weights, paths.history, paths.oof, paths.test):
        stale.unlink(missing_ok=True)
    inference.save(model, paths.weights)
    files.write_csv(history, paths.history)
    files.write_csv(predictions_table(competition, task.train["id"][held_out], oof, fold=fold), paths.oof)
    files.write_csv(predictions_table(competition, task.test["id"], test), paths.test)
    hashes = {file.name: files.sha256(file) for file in (paths.weights, paths.history, paths.oof, paths.test)}
    files.write_json(hashes, paths.done)
    metric = metrics.get(competition.score.metric, competition.task)
    return metric(task.targets[held_out], as_scored(competition, oof))


def _fit(task: Task, fold: int, held_out: np.ndarray) -> tuple[keras.Model, pd.DataFrame]:
    """The trained net and its history: a row per epoch."""
    competition, recipe, choices = task.competition, task.recipe, task.recipe.training
    seed = int(np.random.SeedSequence([task.seed, fold]).generate_state(1)[0])
    keras.utils.set_random_seed(seed)
    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()

    shape = task.store.pixels.shape[1:]
    rows = task.store.of(task.train["id"][~held_out])
    if len(rows) == 0:
        raise UserError("nothing to train on", f"fold {fold}")
    targets = task.targets[~held_out]
    pipeline = Pipeline(
        pixels=task.store.pixels,
        rows=rows,
        targets=_as_columns(competition, targets),
        weights=_sample_weights(competition, choices.class_weights, targets),
        augment=augmenter(recipe.augment, competition.images.symmetry, shape),
        batch_size=min(choices.batch_size, len(rows)),
        seed=seed,
    )
    model = models.build(competition, recipe)
    total = pipeline.steps * choices.epochs
    model.compile(optimizer=_optimizer(recipe, total), loss=_loss(competition, choices.label_smoothing))
    validation = _Validation(task, held_out, pipeline.steps, fold)
    try:
        with validation.bar:
            model.fit(
                pipeline.dataset(choices.epochs),
                epochs=choices.epochs,
                steps_per_epoch=pipeline.steps,
                callbacks=[validation],
                shuffle=False,
                verbose=0,
            )
    except tf.errors.InvalidArgumentError as error:
        raise UserError(f"TensorFlow: {error.message.splitlines()[0]}", f"fold {fold}") from None
    if validation.best_weights is not None:
        model.set_weights(validation.best_weights)
    return model, pd.DataFrame(validation.rows)


def _as_columns(competition: Competition, targets: np.ndarray) -> np.ndarray:
    """float32 (n, columns): one column per label, or one-hot classes."""
    if competition.one_of_many:
        return np.eye(len(competition.columns), dtype=np.float32)[targets]
    return targets.reshape(len(targets), -1).astype(np.float32)


def _sample_weights(competition: Competition, choice: str, targets: np.ndarray) -> np.ndarray:
    """float32 (n,): 1, or inversely to how frequent the class is, with mean 1."""
    if choice == "none":
        return np.ones(len(targets), np.float32)
    if competition.task == "multilabel":
        raise UserError("labels have no single class to balance", "training.class_weights", "Set it to none")
    counts = np.bincount(targets, minlength=len(competition.class_names))
    return (len(targets) / (np.count_nonzero(counts) * counts[targets])).astype(np.float32)


def _loss(competition: Competition, smoothing: float) -> keras.losses.Loss:
    if competition.one_of_many:
        return keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)
    return keras.losses.BinaryCrossentropy(label_smoothing=smoothing)


def _optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """AdamW (Loshchilov and Hutter 2019), linear warm-up and cosine, clipped gradients, averaged weights."""
    choices = recipe.training
    warmup = round(choices.warmup * steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else choices.learning_rate,
        max(1, steps - warmup),
        warmup_target=choices.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    # A short training must still forget where its average started.
    ema = min(choices.ema, max(0.0, 1 - 10 / steps))
    optimizer = keras.optimizers.AdamW(
        schedule,
        weight_decay=choices.weight_decay,
        global_clipnorm=choices.clip_norm,
        use_ema=ema > 0,
        ema_momentum=ema,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


@contextmanager
def _averaged(model: keras.Model):
    """Within the block the net has its averaged weights."""
    current = [variable.numpy() for variable in model.trainable_variables]
    model.optimizer.finalize_variable_values(model.trainable_variables)
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, current, strict=True):
            variable.assign(value)


class _Validation(keras.callbacks.Callback):
    """Scores the held-out fold after each epoch, shows it, and keeps the best weights if the recipe asks for them."""

    def __init__(self, task: Task, held_out: np.ndarray, steps: int, fold: int):
        super().__init__()
        self._choices, self._steps, self._fold = task.recipe.training, steps, fold
        self._competition, self._task = task.competition, task
        self._metric = metrics.get(task.competition.score.metric, task.competition.task)
        self._rows, self._targets = task.store.of(task.train["id"][held_out]), task.targets[held_out]
        self.rows: list[dict] = []
        self.best, self.best_weights = float("nan"), None
        self._since_best = 0
        self.bar = progress("steps")
        self._line = self.bar.add_task("", stage=f"fold {fold}", total=steps * self._choices.epochs)
        self._predictor = None

    def on_train_batch_end(self, batch, logs=None):
        if np.isnan(logs["loss"]):
            epoch = len(self.rows) + 1
            fix = "Lower training.learning_rate, or look for broken images"
            raise UserError(f"the loss is not a number at epoch {epoch}, step {batch + 1}", f"fold {self._fold}", fix)
        self.bar.advance(self._line)

    def on_epoch_end(self, epoch, logs=None):
        if self._predictor is None:
            self._predictor = inference.Predictor(self.model, self._competition.images.symmetry, tta=False)
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        with _averaged(self.model):
            predictions = self._predictor(self._task.store.pixels, self._rows)
            score = self._metric(self._targets, as_scored(self._competition, predictions))
            if self._choices.keep == "best":
                self._keep_best(score)
        self.rows.append({"epoch": epoch + 1, "learning_rate": rate, "loss": logs["loss"], self._metric.name: score})
        text = f"epoch {epoch + 1}/{self._choices.epochs}  loss {logs['loss']:.3f}  {self._metric.title} {score:.3f}"
        self.bar.update(self._line, description=text)
        every = -(-self._choices.epochs // 4)
        if not console.is_terminal and (epoch + 1) % every == 0 and epoch + 1 < self._choices.epochs:
            say(f"fold {self._fold}", text)

    def _keep_best(self, score: float) -> None:
        if self.best_weights is None or self._metric.sign * score > self._metric.sign * self.best:
            self.best, self.best_weights, self._since_best = score, self.model.get_weights(), 0
        else:
            self._since_best += 1
            if self._choices.patience and self._since_best >= self._choices.patience:
                self.model.stop_training = True
