"""How much sooner are folds done side by side than one after the other?

    .venv/bin/python benchmarks/folds_side_by_side.py [--rounds 3] [--epochs 8]

phantom-chest with its baseline recipe, four folds, JOBS=1 and JOBS=auto in turns in the same minutes. Prints the
seconds of each and the ratio of the medians; fails if that is under 1.15. About 6 minutes on 2 CPU cores.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from results import Result

REPOSITORY = Path(__file__).parent.parent
NAME = "phantom-chest"
LIMIT = 1.15


def seconds(root: Path, jobs: str, epochs: int) -> float:
    """How long the training of all folds takes, from the command to its end."""
    command = [sys.executable, "-m", "medfold", "train", "--jobs", jobs, "--run", "timed"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    began = time.monotonic()
    subprocess.run(
        [*command, "--set", f"training.epochs={epochs}"],
        cwd=root,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    spent = time.monotonic() - began
    shutil.rmtree(root / "runs" / NAME / "timed")
    return spent


def measure(rounds: int = 3, epochs: int = 8) -> list[Result]:
    """Both ways in turns, in so many rounds."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(REPOSITORY / "competition", root / "competition")
        facts = root / "competition" / NAME / "competition.yaml"
        facts.write_text(facts.read_text().replace("k: 5", "k: 4"))
        seconds(root, "1", 1)  # draws the images and prepares them, too
        spent: dict[str, list[float]] = {"1": [], "auto": []}
        for number in range(rounds):
            for jobs in sorted(spent, reverse=bool(number % 2)):
                spent[jobs].append(seconds(root, jobs, epochs))
                print(f"JOBS={jobs:<5}{spent[jobs][-1]:.1f} s", flush=True)
    one, auto = median(spent["1"]), median(spent["auto"])
    what = f"four folds of {epochs} epochs, JOBS=1 over JOBS=auto"
    return [Result(what, f"{one:.1f} s beside {auto:.1f} s", one / auto, LIMIT)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=8)
    options = parser.parse_args()
    (result,) = measure(options.rounds, options.epochs)
    print(f"four folds of {options.epochs} epochs: JOBS=auto is {result.ratio:.2f} times as fast as JOBS=1")
    if not result.held:
        raise SystemExit(f"under {LIMIT}")


if __name__ == "__main__":
    main()
