"""Does the OOF score predict the test score? phantom-chest, drawn from several seeds.

    .venv/bin/python benchmarks/oof_against_test.py [--seeds 0 1 2 3 4]

For each seed: a project folder of its own, the whole pipeline with the baseline recipe, and the OOF AUC beside the AUC
on all test images. Fails if the mean absolute difference is over 0.02 or a single one over 0.05. About 5
minutes per seed on 2 CPU cores.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from sklearn.metrics import roc_auc_score

REPOSITORY = Path(__file__).parent.parent
NAME = "phantom-chest"


def measure(seed: int, root: Path) -> tuple[float, float]:
    """OOF AUC and AUC on all test images, for one seed of the generator."""
    shutil.copytree(REPOSITORY / "competition", root / "competition")
    facts = root / "competition" / NAME / "competition.yaml"
    text = facts.read_text()
    assert "  seed: 0\n" in text
    facts.write_text(text.replace("  seed: 0\n", f"  seed: {seed}\n"))
    subprocess.run([sys.executable, "-m", "medfold", "demo"], cwd=root, check=True, stdout=subprocess.DEVNULL)
    score = json.loads((root / "runs" / NAME / "baseline" / "score.json").read_text())
    (file,) = (root / "submissions" / NAME).glob("*.csv")
    solution = pd.read_csv(root / "data" / NAME / "solution" / "solution.csv")
    joined = solution.merge(pd.read_csv(file), on="id", suffixes=("_true", ""), validate="one_to_one")
    return score["value"], roc_auc_score(joined["target_true"], joined["target"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    seeds = parser.parse_args().seeds
    print("| seed | OOF AUC | AUC on all test images | OOF minus test |\n|---|---|---|---|")
    gaps = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            oof, test = measure(seed, Path(folder))
        gaps.append(abs(oof - test))
        print(f"| {seed} | {oof:.4f} | {test:.4f} | {oof - test:+.4f} |", flush=True)
    mean = sum(gaps) / len(gaps)
    print(f"\nmean absolute difference {mean:.4f}, largest {max(gaps):.4f}")
    sys.exit(0 if mean <= 0.02 and max(gaps) <= 0.05 else 1)


if __name__ == "__main__":
    main()
