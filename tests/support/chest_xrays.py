"""Small radiographs in the folders of Kaggle's chest-xray-pneumonia."""

import shutil

from tests.support.helpers import picture


def chest(folder, train=(40, 60), test=(8, 8)):
    """The layout of Kaggle's chest-xray-pneumonia: two images per patient, an exact duplicate, a second copy inside."""
    for part, counts in (("train", train), ("test", test)):
        for label, count, name in zip(
            ("NORMAL", "PNEUMONIA"), counts, ("IM-{}-000{}", "person{}_bacteria_{}"), strict=True
        ):
            for n in range(count) if part == "train" else range(1000, 1000 + count):
                picture(folder / part / label / f"{name.format(n // 2, n)}.jpeg", seed=n, shape=(30, 40))
    first = folder / "train" / "NORMAL"
    shutil.copy(first / "IM-0-0000.jpeg", first / "IM-99-0001.jpeg")
    shutil.copytree(folder, folder / "chest_xray")
