"""How close does a training with its input pipeline come to one whose batch is there already?

    .venv/bin/python benchmarks/train.py [--rounds 7]

In turns: steps on one resident batch, and steps on what the pipeline makes meanwhile, with as many workers as
WORKERS=auto starts. Two larger nets must reach 0.95 of the resident rate. For a small net, from which the making of
batches takes a good part of the cores, the bound is 1 / (1 / r + 1 / (cores * a)): r images per second if resident, a
those that one thread augments. It must reach 0.90 of that. Then the time from step to step: at the end of an epoch it
may be at most 1.5 times that within one. About 9 minutes on 2 CPU cores.
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from itertools import count, pairwise
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from medfold.competition.facts import CompetitionFacts
from medfold.competition.recipe import Recipe
from medfold.system import hardware
from medfold.system.native_output import silence_native_output
from medfold.training.batches.batches import Batch
from medfold.training.batches.loader import load_batches
from medfold.training.fold_training import default_num_workers
from results import Result, run

with silence_native_output():  # TensorFlow tells at length which GPUs it does not find
    import keras

    from medfold.models import build_net, resolve_precision
    from medfold.training.loop.phases import TrainingImages, plan_phases

IMAGES = 640
SECONDS = 6.0  # of a turn: short, so that both sides of a ratio meet the same minute
WARM_UP = 5  # steps of a turn that are not counted: some batches were made while others had theirs
STEPS, EPOCHS = 10, 20  # of the look at the ends of epochs
ENDLESS = 1 << 40


@dataclass(frozen=True)
class Job:
    """What is trained.

    Args:
        name: for people.
        recipe: backbone, size, augmentation.
        channels, symmetry: of the images.
        of_resident: the share of the resident rate to reach; None where the bound of both together counts.
    """

    name: str
    recipe: Recipe
    channels: int
    symmetry: str
    of_resident: float | None


def job(backbone: dict, size: int, channels: int, augment: str, symmetry: str, of_resident: float | None) -> Job:
    recipe = Recipe.model_validate({"preparation": {"size": size}, "backbone": backbone, "augment": augment})
    width = f", width {backbone['width']}" if "width" in backbone else ""
    return Job(f"{backbone['name']}{width}, {size} px, {augment}", recipe, channels, symmetry, of_resident)


JOBS = [
    job({"name": "resnet9", "width": 64}, 28, 3, "fundus", "dihedral", 0.95),
    job({"name": "MobileNetV2"}, 128, 1, "xray", "none", 0.95),
    job({"name": "resnet9", "width": 16}, 28, 3, "fundus", "dihedral", None),
]
OF_BOUND = 0.90
AT_EPOCHS_END = 1.5


class Training:
    """A net, its optimizer and its input, put together as `fold.train_fold` does; all its layers are trained.

    Args:
        job: what is trained.
        folder: takes the images, which are noise.
        images: how many.
    """

    def __init__(self, job: Job, folder: Path, images: int = IMAGES):
        keras.backend.clear_session()
        recipe, shape = job.recipe, (job.recipe.preparation.size, job.recipe.preparation.size, job.channels)
        facts = CompetitionFacts.model_validate(
            {
                "title": "Noise",
                "source": {"kind": "phantom"},
                "upload": "none",
                "task": "binary",
                "labels": {"targets": ["target"]},
                "images": {"train": "unused", "test": "unused", "channels": job.channels, "symmetry": job.symmetry},
                "score": {"metric": "auc"},
            }
        )
        rng = np.random.default_rng(0)
        np.save(folder / "images.npy", rng.integers(0, 256, (images, *shape), np.uint8))
        pixels = np.load(folder / "images.npy", mmap_mode="r")
        noise = TrainingImages(
            pixels, folder / "unused", np.arange(images), rng.integers(0, 2, images), 0, default_num_workers()
        )
        precision = resolve_precision(recipe.training.precision)
        net = build_net(facts, recipe, precision=precision)
        phase = plan_phases(facts, recipe, net, noise, precision)[-1]
        self.pipeline, self.step = phase.batches, phase.batch_trainer


def as_tensors(batch: Batch) -> list:
    """A batch as the net takes it, as in `training_loop`."""
    return [keras.ops.convert_to_tensor(np.array(part)) for part in batch]


def rate(step: Callable[[], object], images: int, seconds: float = SECONDS) -> float:
    """Images per second of a step that works on so many at a time."""
    for _ in range(WARM_UP):
        step()
    made, began = 0, time.perf_counter()
    while time.perf_counter() < began + seconds:
        step()
        made += images
    return made / (time.perf_counter() - began)


def compare(job: Job, folder: Path, rounds: int) -> Result:
    """A training on a resident batch and one with the whole pipeline, in turns."""
    training, workers = Training(job, folder), default_num_workers()
    pipeline, step = training.pipeline, training.step
    size, cores, positions = pipeline.batch_size, hardware.num_cores(), count()
    resident = as_tensors(pipeline.batch(0))
    rates: dict[str, list[float]] = {"resident": [], "pipeline": []}
    if job.of_resident is None:
        rates["augment"] = []
    with closing(load_batches(pipeline, 0, ENDLESS, workers, as_tensors)) as batches:
        turns = {
            "resident": lambda: rate(lambda: step(*resident), size),
            "pipeline": lambda: rate(lambda: step(*next(batches)), size),
            "augment": lambda: rate(
                lambda: pipeline.sample(*divmod(next(positions), size * pipeline.batches_per_epoch)), 1
            ),
        }
        rate(lambda: step(*next(batches)), size, seconds=2)  # the net is compiled, the workers start
        for number in range(rounds):
            for name in reversed(rates) if number % 2 else rates:
                rates[name].append(turns[name]())
                print(f"{job.name}, {name}: {rates[name][-1]:,.0f} images/s", flush=True)
    value = f"{median(rates['pipeline']):,.0f} beside {median(rates['resident']):,.0f} images/s"
    if job.of_resident is not None:
        ratios = [p / r for p, r in zip(rates["pipeline"], rates["resident"], strict=True)]
        return Result(f"{job.name}, against the resident batch", value, median(ratios), job.of_resident)
    bounds = [1 / (1 / r + 1 / (cores * a)) for r, a in zip(rates["resident"], rates["augment"], strict=True)]
    ratios = [p / bound for p, bound in zip(rates["pipeline"], bounds, strict=True)]
    value += f", one thread augments {median(rates['augment']):,.0f}, bound {median(bounds):,.0f}"
    return Result(f"{job.name}, against the bound", value, median(ratios), OF_BOUND)


def ends_of_epochs(job: Job, folder: Path, rounds: int) -> Result:
    """How long a step takes to follow the one before it, within epochs and where one ends."""
    training = Training(job, folder, STEPS * job.recipe.training.batch_size)
    step, within, ends, ratios = training.step, [], [], []
    for _ in range(rounds):
        moments = []
        steps = STEPS * (EPOCHS + 1)  # the first epoch does not count: the net is compiled, the workers start
        with closing(load_batches(training.pipeline, 0, steps, default_num_workers(), as_tensors)) as batches:
            for batch in batches:
                step(*batch)
                moments.append(time.perf_counter())
        gaps = list(enumerate(later - former for former, later in pairwise(moments)))[STEPS - 1 :]
        ends.append(median(gap for step, gap in gaps if step % STEPS == STEPS - 1))
        within.append(median(gap for step, gap in gaps if step % STEPS != STEPS - 1))
        ratios.append(ends[-1] / within[-1])
        told = f"{1000 * ends[-1]:.1f} ms at the end of an epoch, {1000 * within[-1]:.1f} ms within"
        print(f"{job.name}, from step to step: {told}", flush=True)
    value = f"{1000 * median(ends):.1f} ms beside {1000 * median(within):.1f} ms"
    return Result(f"{job.name}, step at the end of an epoch", value, median(ratios), AT_EPOCHS_END, at_most=True)


def measure(rounds: int = 7) -> list[Result]:
    """All measurements, in so many rounds."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        results = [compare(each, Path(name), rounds) for each in JOBS]
        return [*results, ends_of_epochs(JOBS[-1], Path(name), rounds)]


if __name__ == "__main__":
    run(measure, __doc__, rounds=7)
