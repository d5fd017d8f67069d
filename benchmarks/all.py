"""Runs the benchmarks one after the other, each in a process of its own, and writes docs/development/benchmarks.md.

    .venv/bin/python benchmarks/all.py [--rounds 3]

Without --rounds each makes as many as it does by itself. Fails if a limit is missed; the file is written all the same.
About 40 minutes on 2 CPU cores, which should have nothing else to do; the load before is written down.
"""

import argparse
import importlib
import os
import platform
import textwrap
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path

from medfold.system import files, hardware
from medfold.system.hardware import cuda_devices
from results import Result, judge

FILE = Path(__file__).parent.parent / "docs" / "development" / "benchmarks.md"
# What stands between these lines of the page is written here; the rest is written by hand, and stays.
BEGIN, END = "<!-- Written by make benchmarks, from here -->", "<!-- to here. -->"
PACKAGES = ("tensorflow", "keras", "numpy", "albumentations", "opencv-python-headless", "torch")
HEAD = (
    "What is compared is measured alternately, within the same minutes; values and "
    "ratios are medians of the rounds. Each section names its script, which has the details."
)
# Title and text of each section.
BENCHMARKS = {
    "input": (
        "The input pipeline",
        (
            "Images per second, read from a memory-mapped array, augmented and copied in batches of 32: first with 0, "
            "1 and 2 worker processes; then with 2 workers, alternating with torch's DataLoader, which has 2 workers, "
            "too, the same transforms and whole epochs of 640 images. The ratio is the rate of the pipeline divided by "
            "that of the DataLoader."
        ),
    ),
    "train": (
        "Training and its input",
        (
            "Images per second of a training with its whole input pipeline, alternating with steps on one resident "
            "batch. The ratio is that of the two rates. For the small net it is the ratio to the bound 1 / (1 / r + "
            "1 / (cores × a)), where r is the rate with the resident batch and a the rate at which one thread "
            "augments. The last row compares the time from one step to the next at the end of an epoch and within "
            "an epoch."
        ),
    ),
    "memory": (
        "Memory",
        (
            "Peak memory of a training of one epoch on ten times the images, divided by that of ten epochs on the "
            "original images. The system's count includes the pages of the store that the training has read; they are "
            "mapped from its file, and the system frees them when it needs memory."
        ),
    ),
    "report": (
        "The report",
        (
            "`make report` of two runs of phantom-chest with 5,000 images: time, peak memory, size of the page. The "
            "ratios are relative to 60 s, 1.5 GB and 8 MB."
        ),
    ),
    "prepare": (
        "Preparing images",
        (
            "Images per second of the scan of `make prepare` (decode, hash, resize, write, journal), alternating with "
            "decoding and resizing alone in a plain pool of as many processes, more than half a minute of each, "
            "without the time to start the processes. The ratio is that of the two rates. Then the peak memory of all "
            "processes for ten times the images, divided by that for the original images."
        ),
    ),
    "hidden_test": (
        "The notebook's memory",
        (
            "Peak memory of all processes for predicting a hidden test set from a bundle, for 6,000 images of 1024 px, "
            "divided by that for 600."
        ),
    ),
    "million": (
        "Folds and audit of a million images",
        "Joining duplicates, five stratified folds of whole groups, and the audit; the ratio is relative to the limit.",
    ),
    "near_duplicates": (
        "Near-duplicates",
        (
            "100 copies (compressed, scaled, cropped by 3 %, brighter or darker by 15 %) among 10,000 synthetic "
            "radiographs; then the comparison of 100,000 hashes."
        ),
    ),
    "folds_side_by_side": (
        "Folds side by side",
        (
            "Time of `make train` for four folds of phantom-chest, one after the other, and as many in parallel as "
            "suit the machine. The ratio is the speed-up."
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


def wrap(text: str) -> str:
    """A paragraph in lines of up to 120 characters."""
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def page(text: str, machine_facts: list[tuple[str, str]], found: dict[str, list[Result]]) -> str:
    """docs/development/benchmarks.md with new results; the text outside of the two marks stays.

    Args:
        text: the page as it is.
        machine_facts: rows about the machine.
        found: the results of each benchmark.
    """
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    parts = [wrap(HEAD), table(("", ""), machine_facts)]
    for name, results in found.items():
        title, compared = BENCHMARKS[name]
        parts += [f"## {title}", wrap(f"`benchmarks/{name}.py`. {compared}")]
        parts.append(table(("what", "median", "ratio", "limit", "held"), [row(result) for result in results]))
    written = "\n\n".join(parts)
    return f"{before}{BEGIN}\n\n{written}\n\n{END}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int)
    rounds = parser.parse_args().rounds
    before, found = facts(), {}
    for name in BENCHMARKS:
        with ProcessPoolExecutor(1, get_context("spawn")) as process:  # TensorFlow and torch work badly in one process
            found[name] = process.submit(run, name, rounds).result()
    files.write_text(page(FILE.read_text(encoding="utf-8"), before, found), FILE)
    print()
    judge(result for results in found.values() for result in results)


if __name__ == "__main__":
    main()
