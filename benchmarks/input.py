"""How many images per second does the input pipeline make, and how many does torch's DataLoader?

    .venv/bin/python benchmarks/input.py [--rounds 5]

Batches of 32 are read from a memory-mapped array, augmented, and copied into one staging array, as a transfer to a
device would. First the pipeline alone, at three sizes and with 0, 1 and 2 worker processes. Then, with 2 workers,
beside a DataLoader with 2 workers and the same transforms, if torch 2.13.0 is there: fails if the median of all ratios
is under 1.2. Neither the start of processes nor what was made ahead of a turn is counted. About 5 minutes on 2 CPU
cores.
"""

import copy
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import albumentations as A  # noqa: N812
import cv2
import numpy as np

from medfold.training.batches.augmentation import build_augmenter
from medfold.training.batches.batches import TrainingBatches
from medfold.training.batches.loader import load_batches
from results import Result, run

TORCH = "2.13.0"
BATCH = 32
IMAGES = 640
EPOCHS = 3  # of a turn of the DataLoader
WARM_UP, TURN = 2.0, 2.0  # seconds
ENDLESS = 1 << 40
LIMIT = 1.2


def random_images(folder: Path, size: int, channels: int, augment: str, symmetry: str) -> TrainingBatches:
    """A pipeline over a memory-mapped array of noise."""
    path = folder / f"{size}x{channels}.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (IMAGES, size, size, channels), np.uint8))
    ones = np.ones((IMAGES, 1), np.float32)
    function = build_augmenter(augment, symmetry, (size, size, channels))
    return TrainingBatches(np.load(path, mmap_mode="r"), np.arange(IMAGES), ones, ones[:, 0], function, BATCH, seed=0)


def started(stack: ExitStack, pipeline: TrainingBatches, workers: int) -> Iterator:
    """A feed whose processes have started and are at work; each of its batches lands in the staging array."""
    staging = np.empty(*pipeline.batch_shape_and_dtype())
    batches = load_batches(pipeline, 0, ENDLESS, workers, lambda batch: np.copyto(staging, batch[0]))
    stack.enter_context(closing(batches))
    rate(batches, WARM_UP)
    return batches


def rate(batches: Iterator, seconds: float = TURN) -> float:
    """Images per second of a feed."""
    for _ in range(10):  # some were made while others had their turn
        next(batches)
    count, began = 0, time.perf_counter()
    while time.perf_counter() < began + seconds:
        next(batches)
        count += BATCH
    return count / (time.perf_counter() - began)


class Images:
    """What a DataLoader asks for its images: those of a pipeline, augmented by albumentations' own means."""

    def __init__(self, pipeline: TrainingBatches):
        from albumentations.pytorch import ToTensorV2

        # Copied on write, so writable: torch warns of arrays that are not.
        self._pixels = np.load(pipeline.net_inputs.filename, mmap_mode="c")
        self._targets = pipeline.targets
        self._augment = A.Compose([*copy.deepcopy(pipeline.augment._transforms), ToTensorV2()])

    def __len__(self) -> int:
        return len(self._pixels)

    def __getitem__(self, number: int) -> tuple:
        return self._augment(image=np.asarray(self._pixels[number]))["image"], self._targets[number]


def one_thread(worker: int) -> None:
    """What each worker of a DataLoader begins with; so do those of a feed."""
    cv2.setNumThreads(1)


def loader_of(pipeline: TrainingBatches) -> Callable[[], float]:
    """A DataLoader over the same images: a function that gives its images per second over whole epochs."""
    from torch.utils.data import DataLoader

    loader = DataLoader(
        Images(pipeline),
        batch_size=BATCH,
        shuffle=True,
        drop_last=True,
        num_workers=2,
        persistent_workers=True,
        worker_init_fn=one_thread,
    )
    (count, height, width, channels), dtype = pipeline.batch_shape_and_dtype()
    staging = np.empty((count, channels, height, width), dtype)

    def epochs() -> float:
        made, began = 0, time.perf_counter()
        for _ in range(EPOCHS):
            for images, _ in loader:
                np.copyto(staging, images.numpy())
                made += len(images)
        return made / (time.perf_counter() - began)

    for _ in loader:
        pass
    return epochs


def alone(folder: Path, rounds: int) -> list[Result]:
    """The pipeline by itself, for each size and number of workers."""
    results = []
    for size in (28, 224, 384):
        rates: dict[int, list[float]] = {0: [], 1: [], 2: []}
        with ExitStack() as stack:
            pipeline = random_images(folder, size, 3, "fundus", "dihedral")
            feeds = {workers: started(stack, pipeline, workers) for workers in rates}
            for number in range(rounds):
                for workers in sorted(rates, reverse=bool(number % 2)):
                    rates[workers].append(rate(feeds[workers]))
                    print(f"{size} px, {workers} workers: {rates[workers][-1]:,.0f} images/s", flush=True)
        values = [f"{median(rates[workers]):,.0f} ({workers})" for workers in rates]
        results.append(Result(f"fundus, {size} px, by workers", f"{', '.join(values)} images/s"))
    return results


def beside_torch(folder: Path, rounds: int) -> list[Result]:
    """The pipeline and a DataLoader in turns, for three augmentations."""
    results, everything = [], []
    for augment, channels, symmetry in (
        ("fundus", 3, "dihedral"),
        ("light", 3, "horizontal"),
        ("xray", 1, "horizontal"),
    ):
        job, ours, theirs = f"{augment}, 224 px, {'colour' if channels == 3 else 'grey'}", [], []
        with ExitStack() as stack:
            pipeline = random_images(folder, 224, channels, augment, symmetry)
            epochs = loader_of(pipeline)
            batches = started(stack, pipeline, workers=2)
            for number in range(rounds):
                turns = [lambda: ours.append(rate(batches)), lambda: theirs.append(epochs())]  # noqa: B023
                for turn in reversed(turns) if number % 2 else turns:
                    turn()
                told = f"feed {ours[-1]:,.0f}, DataLoader {theirs[-1]:,.0f} images/s"
                print(f"{job}: {told}", flush=True)
        ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
        everything += ratios
        value = f"{median(ours):,.0f} beside {median(theirs):,.0f} images/s"
        results.append(Result(f"{job}, beside DataLoader", value, median(ratios)))
    what = f"all {len(results)} augmentations, beside DataLoader"
    spread = f"{min(everything):.2f} to {max(everything):.2f} in {len(everything)} rounds"
    return [*results, Result(what, spread, median(everything), LIMIT)]


def measure(rounds: int = 5) -> list[Result]:
    """All measurements, in so many rounds."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results = alone(folder, rounds)
        try:
            found = version("torch").partition("+")[0]
        except PackageNotFoundError:
            found = "none"
        if found == TORCH:
            return results + beside_torch(folder, rounds)
        absent = f"not measured: torch {TORCH} is not installed"
        print(absent)
        return [*results, Result("beside DataLoader", absent)]


if __name__ == "__main__":
    run(measure, __doc__, rounds=5)
