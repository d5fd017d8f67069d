"""Runs the benchmarks one after the other, each in a process of its own, and writes docs/performance.md.

    .venv/bin/python benchmarks/all.py [--rounds 3]

Without --rounds each makes as many as it does by itself. Fails if a limit is missed; the file is written all the same.
About 40 minutes on 2 CPU cores, which should have nothing else to do; the load before is written down.
"""

import argparse
import importlib
import os
import platform
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path

from medfold import files, hardware
from medfold.hardware import cuda_devices
from results import Result, judge

FILE = Path(__file__).parent.parent / "docs" / "performance.md"
PACKAGES = ("tensorflow", "keras", "numpy", "albumentations", "opencv-python-headless", "torch")
HEAD = (
    "Written by `make benchmarks`. What is compared is measured in turns, in the same minutes; values and ratios are "
    "medians of the rounds. Each section names its script, which says more."
)
# Each with a title and what its table compares.
BENCHMARKS = {
    "input": (
        "The input pipeline",
        (
            "Images per second that are read from a memory-mapped array, augmented and copied, in batches of 32: with "
            "0, 1 and 2 worker processes; then with 2 workers, in turns with torch's DataLoader, with 2 workers, the "
            "same transforms and whole epochs of 640 images. The ratio is the rate of the pipeline over that of the "
            "DataLoader."
        ),
    ),
    "train": (
        "Training and its input",
        (
            "Images per second of a training with its whole input pipeline, in turns with steps on one batch that is "
            "there already. The ratio is that of the two rates. For the small net it is that to the bound 1 / (1 / r "
            "+ 1 / (cores × a)): r images per second with the resident batch, a those that one thread augments. The "
            "last row compares how long a step takes to follow the one before it, at the end of an epoch and within "
            "one."
        ),
    ),
    "memory": (
        "Memory",
        (
            "The peak memory of a training of one epoch on ten times the images, over that of ten epochs on the "
            "images once. What the system counts includes the pages of the store that the training has looked at; "
            "they are mapped from its file, and the system takes them back when it needs room."
        ),
    ),
    "report": (
        "The report",
        (
            "`make report` of two runs of phantom-chest with 5,000 images: time, peak memory, size of the page. The "
            "ratios are those to 60 s, 1.5 GB and 8 MB."
        ),
    ),
    "prepare": (
        "Preparing images",
        (
            "Images per second of the pass of `make prepare` (decode, hash, resize, write, write down), in turns with "
            "decoding and resizing alone in a plain pool of as many processes, more than half a minute of each, "
            "without the time in which the processes start. The ratio is that of the two rates. Then the peak memory "
            "of all processes, for ten times the images over that for the images once."
        ),
    ),
    "hidden_test": (
        "The notebook's memory",
        (
            "The peak memory of predicting a hidden test set from a kit, with all processes, for 6,000 images of 1024 "
            "px over that for 600."
        ),
    ),
    "million": (
        "Folds and audit of a million images",
        "Joining duplicates, five stratified folds of whole groups, and the audit; the ratio is to what it may take.",
    ),
    "near_duplicates": (
        "Near-duplicates",
        (
            "100 copies (compressed, scaled, cropped by 3 %, brighter or darker by 15 %) among 10,000 made-up "
            "radiographs; then the comparison of 100,000 hashes."
        ),
    ),
    "folds_side_by_side": (
        "Folds side by side",
        (
            "How long `make train` takes for four folds of phantom-chest, one after the other and as many at once as "
            "suit the machine. The ratio is how many times as fast the second is."
        ),
    ),
}


def run(name: str, rounds: int | None) -> list[Result]:
    """Runs one benchmark in this process."""
    print(f"\n{name}", flush=True)
    more = {} if rounds is None else {"rounds": rounds}
    return importlib.import_module(name).measure(**more)


def facts() -> list[tuple[str, str]]:
    """What the numbers depend on: the machine, what else it does, the versions."""
    processor, memory, system = platform.processor(), "unknown", platform.system()
    if Path("/proc/cpuinfo").is_file():
        named = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        processor = named[0].partition(":")[2].strip() if named else processor
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    if hasattr(os, "sysconf"):
        memory = f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB"
    rows = [
        ("processor", f"{processor or platform.machine()}, {hardware.num_cores()} cores"),
        ("GPUs", str(len(cuda_devices()) or "none")),
        ("memory", memory),
        ("system", system),
        ("load before", f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"),
        ("Python", platform.python_version()),
    ]
    for package in PACKAGES:
        try:
            rows.append((package, version(package)))
        except PackageNotFoundError:
            rows.append((package, "not installed"))
    return rows


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ("---",) * len(head), *rows])


def row(result: Result) -> tuple[str, ...]:
    """A result as a row of its table."""
    ratio = "" if result.ratio is None else f"{result.ratio:.3f}"
    held = "" if result.limit is None else ("yes" if result.held else "**no**")
    return result.what, result.value, ratio, result.bound, held


def page(machine_facts: list[tuple[str, str]], found: dict[str, list[Result]]) -> str:
    """docs/performance.md."""
    parts = [
        "# Performance",
        HEAD,
        table(("", ""), machine_facts),
    ]
    for name, results in found.items():
        title, compared = BENCHMARKS[name]
        parts += [f"## {title}", f"`benchmarks/{name}.py`. {compared}"]
        parts.append(table(("what", "median", "ratio", "limit", "held"), [row(result) for result in results]))
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int)
    rounds = parser.parse_args().rounds
    before, found = facts(), {}
    for name in BENCHMARKS:
        with ProcessPoolExecutor(1, get_context("spawn")) as process:  # TensorFlow and torch do not share one gladly
            found[name] = process.submit(run, name, rounds).result()
    files.write_text(page(before, found), FILE)
    print()
    judge(result for results in found.values() for result in results)


if __name__ == "__main__":
    main()
