"""IQ-OTH/NCCD: slices of chest CT as JPEG, without a test set or patients."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.lookalikes import pictures
from tests.lookalikes.truth import single, truth

ROOT = "The IQ-OTHNCCD lung cancer dataset"
CASES = {"Bengin": (30, 0.5), "Malignant": (60, 1.0), "Normal": (40, 0.0)}  # slices, and how bright their spot is
SIZES = [(96, 96), (96, 96), (96, 120)]


def iq_othnccd(folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    """Folders and names with spaces and brackets; pictures of several sizes; some slices nearly the same."""
    labels: dict[str, str] = {}
    images: dict[str, str] = {}
    groups: dict[str, str] = {}
    alike: list[set[str]] = []
    for kind, (count, bright) in CASES.items():
        for number in range(1, count + 1):
            id = f"{kind} case ({number})"
            labels[id] = f"{kind} cases"
            images[id], groups[id] = f"{kind} cases/{id}.jpg", f"{kind} {number // 10}"
            quality = 92
            if number == 25:  # a near-duplicate in another group
                alike.append({id, f"{kind} case (8)"})
                quality = 90
            else:
                picture = pictures.grey(pictures.scene(rng, [(0.5, 0.4, bright)], SIZES[number % 3]))
                if number == 8:
                    kept = picture
            data = pictures.encoded(kept if number == 25 else picture, ".jpg", quality)
            pictures.write(folder / ROOT / images[id], data)
    pictures.write(folder / ROOT / "IQ-OTH_NCCD lung cancer dataset.txt", b"CT scans of 110 cases.\n")
    return truth(single("finding", labels), images, groups=groups, alike=alike)
