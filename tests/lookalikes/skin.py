"""Skin lesions: SIIM-ISIC Melanoma and ISIC 2024."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from pydicom.uid import JPEGBaseline8Bit

from tests.lookalikes import dicoms, names, pictures
from tests.lookalikes.truth import single, truth

SKIN = (0.95, 0.75, 0.65)
SITES = ["torso", "lower extremity", "upper extremity", "head/neck", None]
TEST_HEADER = (
    "isic_id,patient_id,age_approx,sex,anatom_site_general,clin_size_long_diam_mm,image_type,tbp_tile_type,tbp_lv_A,"
    "tbp_lv_Aext,tbp_lv_B,tbp_lv_Bext,tbp_lv_C,tbp_lv_Cext,tbp_lv_H,tbp_lv_Hext,tbp_lv_L,tbp_lv_Lext,tbp_lv_areaMM2,"
    "tbp_lv_area_perim_ratio,tbp_lv_color_std_mean,tbp_lv_deltaA,tbp_lv_deltaB,tbp_lv_deltaL,tbp_lv_deltaLB,"
    "tbp_lv_deltaLBnorm,tbp_lv_eccentricity,tbp_lv_location,tbp_lv_location_simple,tbp_lv_minorAxisMM,"
    "tbp_lv_nevi_confidence,tbp_lv_norm_border,tbp_lv_norm_color,tbp_lv_perimeterMM,tbp_lv_radial_color_std_max,"
    "tbp_lv_stdL,tbp_lv_stdLExt,tbp_lv_symm_2axis,tbp_lv_symm_2axis_angle,tbp_lv_x,tbp_lv_y,tbp_lv_z,attribution,"
    "copyright_license"
)
TRAIN_HEADER = (
    TEST_HEADER.replace("isic_id,", "isic_id,target,", 1)
    + ",lesion_id,iddx_full,iddx_1,iddx_2,iddx_3,iddx_4,iddx_5,mel_mitotic_index,mel_thick_mm"
    + ",tbp_lv_dnn_lesion_confidence"
)
TEXTS = {
    "anatom_site_general": "posterior torso",
    "image_type": "TBP tile: close-up",
    "tbp_tile_type": "3D: XP",
    "tbp_lv_location": "Torso Back Top Third",
    "tbp_lv_location_simple": "Torso Back",
    "attribution": "Department of Dermatology, Hospital Clínic de Barcelona",
    "copyright_license": "CC-BY",
}


def siim(folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    """JPEG, DICOM and TFRecords of the same images; about three lesions a patient."""
    ids, owner = _lesions(rng, 20, 3)
    train, test = ids[:48], ids[48:]
    malignant = {id: int(number % 4 == 0) for number, id in enumerate(ids)}
    for part, group in (("train", train), ("test", test)):
        for number, id in enumerate(group):
            lesion = _lesion(rng, malignant[id], (96, 128) if number % 2 else (112, 112))
            pictures.write(folder / f"jpeg/{part}/{id}.jpg", pictures.encoded(lesion, ".jpg"))
            headers = {"PatientID": owner[id], "PatientSex": "F", "PatientAge": "045Y", "BodyPartExamined": "SKIN"}
            dicoms.write(folder / part / f"{id}.dcm", lesion, JPEGBaseline8Bit, Modality="XC", **headers)
        pictures.write(folder / f"tfrecords/{part}00-{len(group)}.tfrec", rng.bytes(64))
    rows = [
        {
            "image_name": id,
            "patient_id": owner[id],
            "sex": None if number % 17 == 16 else "female" if number % 2 else "male",
            "age_approx": None if number % 13 == 12 else 5.0 * int(rng.integers(4, 17)),
            "anatom_site_general_challenge": SITES[number % len(SITES)],
        }
        for number, id in enumerate(ids)
    ]
    for row in rows[: len(train)]:
        bad = malignant[row["image_name"]]
        row |= {"diagnosis": "melanoma" if bad else "unknown", "benign_malignant": "malignant" if bad else "benign"}
        row["target"] = bad
    pictures.write_table(folder / "train.csv", rows[: len(train)])
    pictures.write_table(folder / "test.csv", rows[len(train) :])
    pictures.write_table(folder / "sample_submission.csv", ({"image_name": id, "target": 0} for id in test))
    labels = single("target", malignant)
    return truth(
        {id: labels[id] for id in train},
        {id: f"jpeg/{part}/{id}.jpg" for part, group in (("train", train), ("test", test)) for id in group},
        test,
        groups={id: owner[id] for id in train},
        answers={id: labels[id] for id in test},
        id_column="image_name",
    )


def isic_2024(folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    """JPEG files and HDF5 for train, HDF5 alone for three test images; train has columns that test has not."""
    ids, owner = _lesions(rng, 21, 3)
    train, test = ids[:60], ids[60:]
    malignant = {id: int(number % 6 == 0) for number, id in enumerate(ids)}
    crops = {
        id: pictures.encoded(_lesion(rng, malignant[id], (100 + n % 3, 100 + n % 3)), ".jpg")
        for n, id in enumerate(ids)
    }
    for id in train:
        pictures.write(folder / f"train-image/image/{id}.jpg", crops[id])
    for part, group in (("train", train), ("test", test)):
        with h5py.File(folder / f"{part}-image.hdf5", "w") as file:
            for id in group:
                file.create_dataset(id, data=np.bytes_(crops[id]))
    rows = [_measurements(rng, id, owner[id], malignant[id]) for id in ids]
    pictures.write_table(folder / "train-metadata.csv", rows[: len(train)], TRAIN_HEADER)
    pictures.write_table(folder / "test-metadata.csv", rows[len(train) :], TEST_HEADER)
    pictures.write_table(folder / "sample_submission.csv", ({"isic_id": id, "target": 0.3} for id in test))
    labels = single("target", malignant)
    images = {id: f"train-image/image/{id}.jpg" for id in train} | {id: f"test-image.hdf5#{id}" for id in test}
    return truth(
        {id: labels[id] for id in train},
        images,
        test,
        groups={id: owner[id] for id in train},
        answers={id: labels[id] for id in test},
        id_column="isic_id",
    )


def _lesions(rng: np.random.Generator, patients: int, each: int) -> tuple[list[str], dict[str, str]]:
    """Names of lesions, and the patient of each."""
    ids = [f"ISIC_{int(number):07}" for number in names.numbers(rng, patients * each, 10**4, 10**7)]
    owners = [f"IP_{int(number):07}" for number in names.numbers(rng, patients, 10**4, 10**7)]
    return ids, {id: owners[number // each] for number, id in enumerate(ids)}


def _lesion(rng: np.random.Generator, malignant: int, shape: tuple[int, int]) -> np.ndarray:
    """A dark spot on skin, darker if malignant."""
    picture = pictures.scene(rng, [(*pictures.MIDDLE, 0.4 + 0.6 * malignant)], shape)
    return pictures.colour(1 - picture, SKIN)


def _measurements(rng: np.random.Generator, id: str, patient: str, malignant: int) -> dict[str, Any]:
    """A value for every column that train or test may have."""
    row: dict[str, Any] = dict.fromkeys(TRAIN_HEADER.split(","))
    row |= {name: round(float(rng.random() * 40), 6) for name in row if name.startswith(("tbp_", "clin_"))}
    row |= {"isic_id": id, "target": malignant, "patient_id": patient, "sex": "male", **TEXTS}
    row |= {"age_approx": 5.0 * int(rng.integers(4, 17)), "iddx_1": "Malignant" if malignant else "Benign"}
    row |= {"iddx_full": row["iddx_1"], "lesion_id": f"IL_{rng.integers(10**7):07}" if malignant else None}
    return row
