"""How many hours would RECIPE=gpu train on one T4? Calculated, for the table of competition/README.md.

    .venv/bin/python benchmarks/gpu_hours.py

The multiplications of the net, for all epochs of five folds with their validation images, and for the features of the
frozen backbone if the head is trained first; at a tenth of the peak rate that NVIDIA names for half precision, which is
assumed. Decoding, augmentation and the test set are left out. Nothing is measured.
"""

from pathlib import Path

from medfold.competition import Competition, load_recipe
from medfold.paths import ProjectPaths
from scaling import GPU_SHARE, T4, operations_of

FOLDS = 5
# Training images of all folds, as the README of each competition has them; what is held out as a test set is left out.
TRAINING_IMAGES = {
    "chest-xray-pneumonia": 5_232,
    "ranzcr-clip-catheter-line-classification": 30_083,
    "rsna-pneumonia-detection-challenge": 21_347,
    "rsna-breast-cancer-detection": 54_706,
    "rsna-intracranial-hemorrhage-detection": 752_803,
    "iq-othnccd-lung-cancer": 1_097,
    "aptos2019-blindness-detection": 3_662,
    "diabetic-retinopathy-detection": 35_126,
    "siim-isic-melanoma-classification": 33_126,
    "isic-2024-challenge": 401_059,
    "histopathologic-cancer-detection": 220_025,
    "human-protein-atlas-image-classification": 31_072,
}
VIEWS = {"none": 1, "horizontal": 2, "dihedral": 8}


def hours(name: str) -> float:
    """Returns the hours of `make train RECIPE=gpu` on one T4."""
    competition = Competition.open(name, ProjectPaths(Path(__file__).parent.parent))
    recipe = load_recipe(competition.paths, "gpu", {})
    training, num_images = recipe.training, TRAINING_IMAGES[name]
    step = operations_of(recipe.backbone.model_dump() | {"weights": "none"}, recipe.preparation.size, 3)
    forward = step / 3
    held = num_images / FOLDS
    trained = min(num_images - held, training.num_images or num_images)
    fold = training.epochs * (trained * step + held * forward)
    features = num_images * VIEWS[competition.facts.images.symmetry] * forward if training.head_epochs else 0
    return (FOLDS * fold + features) / (GPU_SHARE * T4) / 3600


def main() -> None:
    """Prints the hours of each competition."""
    for name in TRAINING_IMAGES:
        print(f"{name:45} {hours(name):7.1f} h")


if __name__ == "__main__":
    main()
