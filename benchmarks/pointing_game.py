"""Do the heat maps point at what there is to find? phantom-chest, whose generator knows where the nodules are.

    .venv/bin/python benchmarks/pointing_game.py [--run baseline]

The run must have been trained (`make train`; one fold will do). The net of each fold explains the images that it was
not trained on, of those with a nodule the ones that it got right (p > 0.5, from the fold's oof.csv). Counted is how
often the largest value of the map lies inside the nodule grown by one cell of the map (Zhang et al. 2016,
https://arxiv.org/abs/1608.00507), beside the chance of a random pixel by the same rule, and how often it lies within
half a cell of the nodule. Then the rank correlation (Spearman) of each map, with what speaks against a nodule as
negative values, with that of the same net with its weights in random order. It is to be low: else the maps show the
images, not what was learnt (Adebayo et al. 2018, https://arxiv.org/abs/1810.03292). Fails if the hit rate is under
0.5. A quarter of a minute on 2 CPU cores.
"""

import argparse

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from medfold.competition.competition import Competition
from medfold.competition.recipe import Recipe
from medfold.data.sources.source import open_source
from medfold.images.formats.decoding import read_image
from medfold.images.preparation import prepare_image
from medfold.prediction.grad_cam import GradCam
from medfold.prediction.grad_cam_checks import hits_finding, random_hits, randomise_weights
from medfold.prediction.weights import load_net
from medfold.runs.fold_state import require_trained_folds
from medfold.runs.run import Run
from medfold.tables import read_csv
from results import Result, judge

NAME = "phantom-chest"
LIMIT = 0.5


def right_positives(competition: Competition, run: str, fold: int) -> pd.DataFrame:
    """The validation images of a fold with a nodule that its net found: id, image, x, y, radius in raw pixels."""
    (target,) = competition.facts.prediction_columns
    samples = read_csv(competition.paths.samples)
    oof = read_csv(competition.paths.run(run).fold(fold).oof)
    found = oof.loc[oof[target] > 0.5, ["id"]].merge(samples.loc[samples[target] == 1, ["id", "image"]], on="id")
    return found.merge(open_source(competition).finding_positions(), on="id")


def of_fold(competition: Competition, run: str, fold: int, choices: Recipe) -> pd.DataFrame:
    """For each image that is explained: hit, near, their chances, the correlation with the map of random weights."""
    table = right_positives(competition, run, fold)
    if table.empty:
        raise SystemExit(f"fold {fold} of {run} found no nodule")
    raw = competition.paths.raw_root(competition.facts.images.root)
    pictures = [read_image(raw, image, competition.facts.images) for image in table["image"]]
    images = np.stack([prepare_image(pixels, choices.preparation) for pixels in pictures])
    scale = choices.preparation.size / np.array([pixels.shape[1::-1] for pixels in pictures])
    # Pixels are counted at their centres.
    x, y = ((table[["x", "y"]].to_numpy() + 0.5) * scale - 0.5).T
    radius = table["radius"].to_numpy() * scale.mean(axis=1)
    net = load_net(competition.facts, choices, competition.paths.run(run).fold(fold).weights)
    explainer, columns = GradCam(net), np.zeros(len(table), int)
    half = (explainer.cell[0] / 2, explainer.cell[1] / 2)
    maps = explainer(images, columns)
    others = GradCam(randomise_weights(net, seed=fold))
    pairs = zip(explainer(images, columns, signed=True), others(images, columns, signed=True), strict=True)
    return pd.DataFrame(
        {
            "hit": hits_finding(maps, x, y, radius, explainer.cell),
            "chance": random_hits(maps.shape[1:], x, y, radius, explainer.cell),
            "near": hits_finding(maps, x, y, radius, half),
            "near_chance": random_hits(maps.shape[1:], x, y, radius, half),
            "correlation": [spearmanr(one, other, axis=None).statistic for one, other in pairs],
        }
    )


def measure(run: str = "baseline") -> list[Result]:
    """All folds that are trained."""
    competition = Competition.open(NAME)
    opened = Run.open(competition, run)
    choices = opened.recipe
    found = []
    for fold in require_trained_folds(opened):
        found.append(of_fold(competition, run, fold, choices))
        print(f"fold {fold}: {found[-1]['hit'].mean():.3f} of {len(found[-1])}", flush=True)
    table = pd.concat(found)
    mean = table.mean(skipna=False)
    return [
        Result(
            f"largest value in the nodule or a cell beside it, of {len(table)} true positives",
            f"{mean['hit']:.3f} beside {mean['chance']:.3f} of a random pixel",
            mean["hit"],
            LIMIT,
        ),
        Result("within half a cell", f"{mean['near']:.3f} beside {mean['near_chance']:.3f} of a random pixel"),
        Result("rank correlation with the maps of random weights", f"{mean['correlation']:.3f}"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", default="baseline")
    judge(measure(parser.parse_args().run))


if __name__ == "__main__":
    main()
