"""How much of the time of `make prepare` goes into anything but decoding and resizing?

    .venv/bin/python benchmarks/prepare.py [--rounds 7]

Images per second of the pass that `make prepare` makes (decode, hash, measure, resize, write, write down), in turns
of five seconds with decoding and resizing alone in a plain pool of as many processes, without the time in which the
processes start; more than half a minute of each together. Once on JPEGs, those of chest-xray-pneumonia if they were
downloaded, else synthetic ones of 1024 px; once on synthetic uncompressed DICOM files of 12 bits and 1024 px. Files are
repeated (hard links) until they suffice. Then the peak memory of `medfold prepare` with all its processes, on 6,000
images beside 600: the sum of their shares of what the system counts (Linux only, sampled 10 times a second). Fails if
the pass is slower than 0.85 of the decoding and resizing, or the memory is over 1.1 times as high. Not for Windows.
About 8 minutes on 2 CPU cores.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import cycle
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from medfold.competition.competition import Competition, preparation_settings
from medfold.competition.facts_sections import ImageFacts
from medfold.data.sample_files import read_samples
from medfold.images import scan
from medfold.images.formats.decoding import read_image
from medfold.images.scan import scan_images
from medfold.paths import ProjectPaths
from medfold.system import files, hardware
from results import Result, run

REPOSITORY = Path(__file__).parent.parent
RADIOGRAPHS = REPOSITORY / "data" / "chest-xray-pneumonia" / "raw" / "chest_xray" / "train"
SIZE, DIFFERENT, SECONDS, SETTLED = 128, 200, 5, 1  # px, files, seconds of a turn, seconds to leave out before
OF = ("images", "seconds")
LIMIT, MEMORY_LIMIT = 0.85, 1.1
FACTS = """
title: Files
source: {kind: kaggle, slug: files}
upload: csv
task: binary
labels: {file: train.csv, targets: [label]}
images: {train: "train/{id}.ENDING", test: "test/{id}.ENDING", channels: 1}
score: {metric: auc}
submission: {sample: sample_submission.csv}
"""


def radiographs(folder: Path) -> list[Path]:
    """JPEGs: real ones if there are any, else synthetic ones."""
    real = sorted(RADIOGRAPHS.rglob("*.jpeg"))[::20][:DIFFERENT]
    if real:
        return real
    folder.mkdir()
    made = []
    for number, pixels in enumerate(_pictures(np.uint8)):
        made.append(folder / f"{number}.jpeg")
        cv2.imwrite(str(made[-1]), pixels)
    return made


def dicoms(folder: Path) -> list[Path]:
    """Uncompressed DICOM files of 12 bits and 1024 px with a window, as a digital X-ray machine writes them."""
    folder.mkdir()
    made = []
    for number, pixels in enumerate(_pictures(np.uint16)):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
        meta.MediaStorageSOPInstanceUID = generate_uid()
        image = pydicom.Dataset()
        image.file_meta = meta
        image.SOPClassUID, image.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        image.PatientID, image.Modality, image.Manufacturer = f"patient {number}", "DX", "Benchmark"
        image.Rows, image.Columns = pixels.shape
        image.SamplesPerPixel, image.PhotometricInterpretation, image.PixelRepresentation = 1, "MONOCHROME2", 0
        image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
        image.WindowCenter, image.WindowWidth = 2048, 3500
        image.PixelData = pixels.tobytes()
        made.append(folder / f"{number}.dcm")
        image.save_as(made[-1], enforce_file_format=True)
    return made


def _pictures(kind: type) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    for _ in range(50):
        rough = rng.random((16, 16), np.float32)
        smooth = cv2.resize(rough, (1024, 1024), interpolation=cv2.INTER_CUBIC).clip(0, 1)
        noisy = (smooth + rng.normal(0, 0.01, smooth.shape)).clip(0, 1)
        yield (noisy * (255 if kind == np.uint8 else 4095)).astype(kind)


def competition(root: Path, given: list[Path], count: int) -> Competition:
    """A competition of so many images, downloaded."""
    ending, raw, home = given[0].suffix[1:], root / "raw", root / "competition" / "files"
    for part in ("train", "test"):
        (raw / part).mkdir(parents=True)
    ids = [f"{number:06d}" for number in range(count)]
    for id, file in zip(ids, cycle(given), strict=False):
        os.link(file, raw / ("test" if id == ids[-1] else "train") / f"{id}.{ending}")
    rows = "".join(f"{id},{int(id) % 2}\n" for id in ids[:-1])
    (raw / "train.csv").write_text(f"id,label\n{rows}")
    (raw / "sample_submission.csv").write_text(f"id,label\n{ids[-1]},0\n")
    home.mkdir(parents=True)
    (home / "competition.yaml").write_text(FACTS.replace("ENDING", ending))
    (home / "baseline.yaml").write_text(f"preparation: {{size: {SIZE}}}\n")
    medfold(root, "download", "--competition", "files", "--from", "raw")
    return Competition.open("files", ProjectPaths(root))


def medfold(root: Path, *words: str) -> float:
    """Runs a command of medfold; its peak memory, MB."""
    return peak(root, [sys.executable, "-m", "medfold", *words])


def peak(root: Path, command: list[str]) -> float:
    """Runs a command; the peak memory of it and all that it starts, MB (0 where the system does not tell)."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    process = subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    most = 0.0
    while process.poll() is None:
        most = max(most, _memory_of_session(process.pid))
        time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with exit code {process.returncode}")
    return most


def _memory_of_session(session: int) -> float:
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rpartition(")")[2].split()[3]) != session:
                continue
            lines = (folder / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 2**10


class EnoughError(Exception):
    """Ends a pass that was measured for long enough."""


class Rate:
    """Images per second, from some seconds after the first on."""

    def __init__(self, settled: float = SETTLED) -> None:
        self._settled = settled
        self._begin = self._first = 0.0
        self.images = 0
        self.value = float("nan")
        self.seconds = 0.0

    def count(self, images: int) -> None:
        now = time.perf_counter()
        self._first = self._first or now
        if now - self._first < self._settled:
            return
        if not self._begin:
            self._begin = now
            return
        self.images += images
        self.seconds = now - self._begin
        self.value = self.images / self.seconds


def whole(found: Competition) -> Rate:
    """The rate of the pass that `make prepare` makes."""
    rate, work = Rate(), scan.map_in_workers

    def timed(function: Callable, items: list) -> Iterable:
        for results in work(function, items):
            yield results
            rate.count(len(results))
            if rate.seconds > SECONDS:
                raise EnoughError

    scan.map_in_workers = timed
    try:
        files.remove(found.paths.data / "store")
        files.remove(found.paths.measurements)
        table = read_samples(found.facts, found.paths)
        with suppress(EnoughError):
            scan_images(found, table, preparation_settings(found, "baseline"))
    finally:
        scan.map_in_workers = work
    return rate


def alone(found: Competition, settled: float = SETTLED) -> Rate:
    """The rate of decoding and resizing in a plain pool."""
    rate, images = Rate(settled), read_samples(found.facts, found.paths)["image"].tolist()
    one = partial(_decode_and_resize, raw=found.paths.raw, facts=found.facts.images)
    with ProcessPoolExecutor(hardware.num_cores(), get_context("spawn"), cv2.setNumThreads, (1,)) as pool:
        for _ in pool.map(one, images, chunksize=64):
            rate.count(1)
            if rate.seconds > SECONDS:
                pool.shutdown(wait=False, cancel_futures=True)
                break
    return rate


def _decode_and_resize(image: str, raw: Path, facts: ImageFacts) -> int:
    pixels = read_image(raw, image, facts)
    return cv2.resize(pixels, (SIZE, SIZE), interpolation=cv2.INTER_AREA).size


def measure(rounds: int = 7) -> list[Result]:
    """Both in turns, in so many rounds; then the memory."""
    results = []
    with tempfile.TemporaryDirectory(dir=REPOSITORY / "data") as folder:  # where hard links can be made
        base = Path(folder)
        for what, make in (("JPEG", radiographs), ("12-bit DICOM", dicoms)):
            given = make(base / f"{what} files")
            trial = competition(base / f"trial {what}", given, 2000)
            found = competition(base / what, given, int(alone(trial, settled=0).value * 2 * (SECONDS + SETTLED)))
            rates: dict[str, list[Rate]] = {"whole": [], "alone": []}
            for number in range(rounds):
                for name in sorted(rates, reverse=bool(number % 2)):
                    rates[name].append(whole(found) if name == "whole" else alone(found))
                    print(f"{what}, {name}: {rates[name][-1].value:.0f} images/s", flush=True)
            images, seconds = ({name: sum(getattr(rate, of) for rate in rates[name]) for name in rates} for of in OF)
            mean = {name: images[name] / seconds[name] for name in rates}
            value = f"{mean['whole']:.0f} beside {mean['alone']:.0f} images/s, over {min(seconds.values()):.0f} s each"
            ratio = mean["whole"] / mean["alone"]
            results.append(Result(f"{what}, the pass beside decoding and resizing", value, ratio, LIMIT))
        few, many = (competition(base / f"memory {count}", given, count).project_paths.root for count in (600, 6000))
        peaks = [medfold(root, "prepare", "--competition", "files") for root in (few, many)]
        if peaks[0]:
            value = f"{peaks[1]:.0f} beside {peaks[0]:.0f} MB"
            told = "memory of all processes, 6,000 DICOM images beside 600"
            results.append(Result(told, value, peaks[1] / peaks[0], MEMORY_LIMIT, at_most=True))
    return results


if __name__ == "__main__":
    run(measure, __doc__, rounds=7)
