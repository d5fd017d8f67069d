"""How long does `make report` take for 5,000 images, how much memory, and how large is the page?

    .venv/bin/python benchmarks/report.py

Draws phantom-chest with about 5,000 training images and gives it a run of its baseline: weights as they are before any
training, so that heat maps are computed from real nets, and predictions that are labels with noise. Two such runs,
so that there is an ensemble to judge. Then `medfold report` of both, in a process of its own: seconds over 60, peak
memory over 1.5 GB, size of the page over 8 MB. About a minute on 2 CPU cores, most of it to draw the images.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition.competition import Competition, preparation_settings
from medfold.competition.recipe_files import load_recipe
from medfold.data.dataset import make_dataset
from medfold.models.build import build_net
from medfold.paths import ProjectPaths
from medfold.prediction.weights import save_weights
from medfold.runs.fold_state import mark_fold_trained
from medfold.runs.oof import write_oof
from medfold.runs.predictions import predictions_table
from medfold.runs.run_names import checked_run_paths
from medfold.tables import write_csv
from medfold.training.run_metadata import run_metadata
from medfold.training.same_start import record_run_start
from results import Result, run

REPOSITORY = Path(__file__).parent.parent
PATIENTS, SECONDS, MEMORY, SIZE = 3130, 60, 1.5 * 2**30, 8e6
NAMES = ("baseline", "second")


def competition(root: Path) -> Competition:
    """phantom-chest with more patients, downloaded and cut into folds."""
    home = root / "competition"
    home.mkdir()
    for name in ("_base", "phantom-chest"):
        subprocess.run(["cp", "-r", str(REPOSITORY / "competition" / name), str(home)], check=True)
    facts = home / "phantom-chest" / "competition.yaml"
    facts.write_text(facts.read_text().replace("seed: 0", f"seed: 0\n  train_patients: {PATIENTS}", 1))
    medfold(root, "download")
    found = Competition.open("phantom-chest", ProjectPaths(root))
    make_dataset(found, preparation=preparation_settings(found, "baseline"))
    return found


def give_run(found: Competition, name: str, seed: int) -> int:
    """A run whose folds look trained; how many images it predicts."""
    facts, dataset, rng = found.facts, make_dataset(found), np.random.default_rng(seed)
    choices = load_recipe(found.paths, "baseline", {})
    paths = checked_run_paths(found.paths, name)
    record_run_start(paths, run_metadata(found, choices, 0))
    net = build_net(facts, choices)
    for number in range(facts.folds.k):
        fold, here = paths.fold(number), (dataset.train["fold"] == number).to_numpy()
        logits = 2 * (2 * dataset.targets[here] - 1) + rng.normal(0, 1.5, here.sum())
        oof, test = 1 / (1 + np.exp(-logits))[:, None], rng.random((len(dataset.test), 1))
        save_weights(net, fold.weights)
        write_csv(predictions_table(facts, dataset.train["id"][here], oof, fold=number), fold.oof)
        write_csv(predictions_table(facts, dataset.test["id"], test), fold.test)
        history = {"epoch": range(1, 16), "learning_rate": 0.003, "loss": np.linspace(0.7, 0.1, 15), "val_auc": 0.9}
        write_csv(pd.DataFrame(history), fold.history)
        written = (fold.weights, fold.oof, fold.test, fold.history)
        mark_fold_trained(fold, written)
    write_oof(facts, paths, dataset.train, dataset.targets)
    return len(dataset.train)


def medfold(root: Path, *words: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    subprocess.run([sys.executable, "-m", "medfold", *words], cwd=root, env=environment, check=True)


def measure(rounds: int = 1) -> list[Result]:
    """The slowest of so many rounds."""
    with tempfile.TemporaryDirectory() as folder:
        found = competition(Path(folder))
        count = max(give_run(found, name, seed) for seed, name in enumerate(NAMES))
        seconds = []
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        for _ in range(rounds):
            began = time.monotonic()
            medfold(found.project_paths.root, "report", "--runs", " ".join(NAMES))
            seconds.append(time.monotonic() - began)
        # The largest child so far: the drawing of the images needs less.
        memory = 1024 * max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
        page = (found.paths.runs / f"{'+'.join(NAMES)}.html").stat().st_size
    what = f"report of two runs, {count:,} images"
    return [
        Result(f"{what}, seconds over {SECONDS}", f"{max(seconds):.0f} s", max(seconds) / SECONDS, 1, at_most=True),
        Result(f"{what}, memory over 1.5 GB", f"{memory / 2**30:.2f} GB", memory / MEMORY, 1, at_most=True),
        Result(f"{what}, page over 8 MB", f"{page / 1e6:.2f} MB", page / SIZE, 1, at_most=True),
    ]


if __name__ == "__main__":
    run(measure, __doc__, rounds=1)
