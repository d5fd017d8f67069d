"""Does a notebook take more memory if the hidden test set is ten times as large?

    .venv/bin/python benchmarks/hidden_test.py

A fold of a small net on synthetic JPEGs of 1024 px, packed as a bundle; then the prediction that the notebook makes, on
600 test images and on 6,000 (hard links to 50 different files). The peak memory with all processes: the sum of their
shares of what the system counts (Linux only, sampled 10 times a second). Fails if it is over 1.1 times as high with the
more images. Not for Windows. About 3 minutes on 2 CPU cores.
"""

import os
import sys
import tempfile
from itertools import cycle
from pathlib import Path

import prepare
from results import Result, run

IMAGES, LIMIT = (600, 6_000), 1.1
TRAINING = "training.epochs=1 backbone.name=resnet9 backbone.width=8"
PREDICT = """
import sys
from medfold.notebooks import SubmissionBundle, predict_hidden_test

predict_hidden_test(SubmissionBundle.open(sys.argv[1]), sys.argv[2], sys.argv[3], 9)
"""


def hidden(folder: Path, given: list[Path], count: int) -> Path:
    """What is attached to a notebook: the data of the competition, with so many test images."""
    data = folder / "competitions" / "files"
    (data / "test").mkdir(parents=True)
    ids = [f"hidden{number:06d}" for number in range(count)]
    for id, file in zip(ids, cycle(given), strict=False):
        os.link(file, data / "test" / f"{id}{file.suffix}")
    (data / "sample_submission.csv").write_text("id,label\n" + "".join(f"{id},0\n" for id in ids))
    return folder


def measure(rounds: int = 1) -> list[Result]:
    """The peaks of both, so many times; the largest count."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        given = prepare.radiographs(root / "made")
        prepare.competition(root, given, 200)
        prepare.medfold(root, "train", "--competition", "files", "--fold", "0", "--set", TRAINING, "--run", "small")
        prepare.medfold(root, "notebook", "--competition", "files", "--runs", "small")
        bundle = root / "runs" / "files" / "small" / "notebook" / "kit"
        peaks = []
        for count in IMAGES:
            inputs = hidden(root / f"hidden {count}", given, count)
            command = [sys.executable, "-c", PREDICT, str(bundle), str(inputs), str(root / "out.csv")]
            peaks.append(max(prepare.peak(root, command) for _ in range(rounds)))
    few, many = peaks
    what = f"memory of predicting {IMAGES[1]:,} hidden images over {IMAGES[0]:,}"
    return [Result(what, f"{many:.0f} MB beside {few:.0f} MB", many / few, LIMIT, at_most=True)]


if __name__ == "__main__":
    run(measure, __doc__, rounds=1)
