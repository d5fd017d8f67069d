"""Look-alikes: small synthetic raw data with the files, columns and formats of competitions on Kaggle.

`LOOKALIKES[name](folder, rng)` writes the raw data of a preset into a folder, to be given with FROM=, and returns what
a test can check (see `truth`). `ODDITIES` are layouts that no preset has, with their facts.
"""

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from medfold.commands.download import download
from medfold.competition import Competition
from medfold.data import make_dataset, needs_holdout
from medfold.paths import ProjectPaths
from tests.lookalikes import fundus, head_ct, lung_ct, mammograms, medmnist, microscopy, oddities, radiographs, skin
from tests.support.helpers import REPOSITORY
from tests.support.small_project import add_base_recipes, add_competition

Maker = Callable[[Path, np.random.Generator], dict[str, Any]]

LOOKALIKES: dict[str, Maker] = {
    "aptos2019-blindness-detection": fundus.aptos,
    "chest-xray-pneumonia": radiographs.chest_xray,
    "diabetic-retinopathy-detection": fundus.diabetic_retinopathy,
    "histopathologic-cancer-detection": microscopy.histology,
    "human-protein-atlas-image-classification": microscopy.protein_atlas,
    "iq-othnccd-lung-cancer": lung_ct.iq_othnccd,
    "isic-2024-challenge": skin.isic_2024,
    "ranzcr-clip-catheter-line-classification": radiographs.ranzcr,
    "rsna-breast-cancer-detection": mammograms.rsna_breast,
    "rsna-intracranial-hemorrhage-detection": head_ct.rsna_hemorrhage,
    "rsna-pneumonia-detection-challenge": radiographs.rsna_pneumonia,
    "siim-isic-melanoma-classification": skin.siim,
    **{name: medmnist.maker(name) for name in medmnist.SETS},
}
ODDITIES: dict[str, tuple[str, Maker]] = {
    "id-with-extension": (oddities.EXTENSION_FACTS, oddities.extension),
    "placeholder-sample": (oddities.PLACEHOLDER_FACTS, oddities.placeholder),
    "several-readers": (oddities.READERS_FACTS, oddities.readers),
}


def lookalike_once(once: Callable[[str, Callable[[Path], object]], Path], name: str) -> Path:
    """A project with a downloaded look-alike, made once for all tests; only to be read or copied.

    Its truth is in truth.pickle.
    """

    def make(folder: Path) -> None:
        project_paths, raw, rng = ProjectPaths(folder), folder / "as shipped", np.random.default_rng(0)
        add_base_recipes(project_paths.root)
        if name in LOOKALIKES:
            truth = LOOKALIKES[name](raw, rng)
            plant(project_paths.root, name, truth["counts"])
        else:
            facts, make_raw = ODDITIES[name]
            truth = make_raw(raw, rng)
            add_competition(project_paths.root, name, facts)
        competition = Competition.open(name, project_paths)
        download(competition, path=raw)
        if needs_holdout(competition.paths):
            make_dataset(competition)
        shutil.rmtree(raw)
        (folder / "truth.pickle").write_bytes(pickle.dumps(truth))

    return once(f"look-alike {name}", make)


def truth_of(folder: Path) -> dict[str, Any]:
    """The truth about a look-alike, as its function returned it."""
    return pickle.loads((folder / "truth.pickle").read_bytes())


def plant(root: Path, name: str, counts: dict[str, int]) -> None:
    """Copies the folder of a preset into a project, with the counts of the look-alike in its facts."""
    home = ProjectPaths(REPOSITORY).competition(name).folder
    target = root / "competition" / home.name
    shutil.copytree(home, target)
    facts = yaml.safe_load((home / "competition.yaml").read_text(encoding="utf-8"))
    for each in (facts, *facts.get("variants", {}).values()):
        if "expected_counts" in each.get("labels", {}):
            each["labels"]["expected_counts"] = counts
    (target / "competition.yaml").write_text(yaml.safe_dump(facts, sort_keys=False), encoding="utf-8")
