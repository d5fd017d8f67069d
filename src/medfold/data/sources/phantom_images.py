"""Synthetic chest radiographs: one image of a patient, drawn from a seed.

Every image shows a body with two lungs, ribs, spine, heart and vessels, with a random exposure and quantum noise.
Some patients have a nodule, in all of their images. Its visibility is set by one physical number, the matched-filter
signal-to-noise ratio

    SNR = |s| / sigma    (s: the nodule's pixels at 128 px, sigma: standard deviation of the white noise per pixel)

This is the detectability index d' of an ideal observer who knows the position and sees only noise (Burgess 1999,
"The Rose model, revisited"). It is drawn uniformly from the range `snr`, separately for every image. The position is
not known and ribs and vessels hide nodules, so any real observer does worse.
"""

import math
from typing import Protocol

import cv2
import numpy as np

SIZE = 128
NOISE = 0.025  # standard deviation of the quantum noise; the anatomy spans about 0..1
CLUTTER = 0.015  # standard deviation of the vessel pattern within the lungs
SPLITS = {"train": 0, "test": 1}  # in the seed, so that the two sets never share a patient


class DrawingOptions(Protocol):
    """Options of the source that decide what an image shows."""

    seed: int
    prevalence: float
    snr: tuple[float, float]


def draw_image(options: DrawingOptions, split: str, patient: int, number: int) -> tuple[np.ndarray, dict]:
    """Draws one radiograph, as displayed.

    Args:
        options: seed, prevalence and SNR range.
        split: 'train' or 'test'.
        patient: number of the patient within the set; decides anatomy, age, sex and disease.
        number: number of the image, from 1; decides posture, exposure, noise and the nodule's SNR.

    Returns:
        Pixels, uint8 (128, 128), and a dictionary with age, sex, target (0 or 1) and nodule (x, y, radius in
        pixels, snr; `None` without one).
    """
    film, attributes, image_rng = draw_film(options, split, patient, number)
    # Exposure and display: gain, offset and a film-like curve.
    gain, offset, gamma = image_rng.uniform(0.7, 1.05), image_rng.uniform(0, 0.15), math.exp(image_rng.normal(0, 0.18))
    shown = np.clip(film, 0, 1) ** gamma * gain + offset
    return np.clip(np.rint(shown * 255), 0, 255).astype(np.uint8), attributes


def draw_film(
    options: DrawingOptions, split: str, patient: int, number: int
) -> tuple[np.ndarray, dict, np.random.Generator]:
    """Draws the radiograph before exposure.

    Args:
        options: seed, prevalence and SNR range.
        split: 'train' or 'test'.
        patient: number of the patient within the set; decides anatomy, age, sex and disease.
        number: number of the image, from 1; decides posture, noise and the nodule's SNR.

    Returns:
        Pixels, float32 (128, 128) of about 0..1; the dictionary of `draw_image`; and the random generator of the image
        in its state after drawing.
    """
    patient_rng, image_rng = (
        random_generator(options, split, patient, 10),
        random_generator(options, split, patient, 10 + number),
    )
    target = int(patient_rng.random() < options.prevalence)
    age = int(np.clip(patient_rng.normal(58 + 5 * target, 13), 18, 90))
    sex = "F" if patient_rng.random() < 0.48 else "M"

    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    # Posture: the same anatomy, slightly shifted, rotated and scaled in every image.
    angle, zoom = image_rng.normal(0, 0.04), image_rng.normal(1, 0.03)
    dx, dy = image_rng.normal(0, 0.02, 2)
    u, v = _rotated(x - 0.5 - float(dx), y - 0.5 - float(dy), angle)
    u, v = u / zoom, v / zoom
    image, lungs = _anatomy(u, v, patient_rng)

    nodule = None
    if target:
        side, height, reach = (
            1 - 2 * int(patient_rng.integers(2)),
            patient_rng.uniform(-0.24, 0.17),
            patient_rng.uniform(0.16, 0.29),
        )
        radius = patient_rng.uniform(3.0, 6.0)  # standard deviation of the blob, pixels
        cu, cv = side * reach + image_rng.normal(0, 0.01), height + image_rng.normal(0, 0.01)
        snr = image_rng.uniform(*options.snr)
        spread = zoom * radius / SIZE
        stretch = patient_rng.uniform(0.8, 1.25)  # not quite round
        p, q = _rotated(u - cu, v - cv, patient_rng.uniform(0, math.pi))
        blob = np.exp(-((p * stretch) ** 2 + (q / stretch) ** 2) / (2 * spread * spread))
        image += blob * (snr * NOISE / float(np.linalg.norm(blob)))
        peak = np.unravel_index(np.argmax(blob), blob.shape)
        nodule = {"x": int(peak[1]), "y": int(peak[0]), "radius": float(1.5 * radius * zoom), "snr": float(snr)}

    # Vessels: smooth clutter of about a nodule's size within the lungs, so that a bright spot alone proves nothing.
    clutter = cv2.GaussianBlur(image_rng.standard_normal((SIZE, SIZE), np.float32), (0, 0), 1.8)
    image += lungs * clutter * (CLUTTER / float(clutter.std()))
    image += NOISE * image_rng.standard_normal((SIZE, SIZE), np.float32)

    return image, {"age": age, "sex": sex, "target": target, "nodule": nodule}, image_rng


def random_generator(options: DrawingOptions, split: str, patient: int, number: int) -> np.random.Generator:
    """Returns a random generator of a patient; `number` keeps its uses apart."""
    return np.random.default_rng([options.seed, SPLITS[split], patient, number])


def _rotated(x: np.ndarray, y: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    cosine, sine = math.cos(angle), math.sin(angle)
    return x * cosine - y * sine, x * sine + y * cosine


def _soft_mask(distance: np.ndarray, width: float) -> np.ndarray:
    """Returns a mask with a smooth edge of the given width: 1 inside (distance < 0), 0 outside."""
    return 0.5 - 0.5 * np.tanh(distance * (0.5 / width))


def _anatomy(u: np.ndarray, v: np.ndarray, patient_rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draws body, lungs, ribs, clavicles, spine, heart and diaphragm over coordinates from -0.5 to 0.5.

    Returns:
        The image, and the mask of the lungs without the heart; both float32.
    """
    width, height = patient_rng.normal(0.155, 0.01), patient_rng.normal(0.36, 0.02)
    lungs = np.zeros_like(u)
    for side in (-1, 1):
        a, b = (u - side * 0.215) / width, (v + 0.0) / height
        tilt = a - side * 0.25 * b  # wider at the base
        lungs = np.maximum(lungs, _soft_mask(np.sqrt(tilt**2 + b**2) - 1, 0.07))
    dome = patient_rng.normal(0.24, 0.015)
    for side in (-1, 1):
        edge = dome - 0.02 * (side < 0) - 1.6 * (u - side * 0.2) ** 2
        lungs *= 1 - _soft_mask(edge - v, 0.012) * (np.sign(u) == side)

    body = _soft_mask(np.abs(u) - 0.47 + 0.25 * np.clip(-v - 0.33, 0, 1), 0.015)
    image = body * (0.62 + 0.08 * v)
    image -= lungs * patient_rng.normal(0.40, 0.025)

    count, slope, thickness = (
        patient_rng.normal(10.5, 0.6),
        patient_rng.normal(1.1, 0.1),
        patient_rng.normal(0.055, 0.006),
    )
    phase = (v + slope * (np.abs(u) - 0.2) ** 2 * 2.2) * count + patient_rng.uniform(0, 1)
    ribs = np.exp(-(((phase - np.floor(phase)) - 0.5) ** 2) / (2 * (thickness * count / 4) ** 2))
    cage = (
        _soft_mask(np.abs(u) - 0.38, 0.015)
        * _soft_mask(0.05 - np.abs(u), 0.02)
        * _soft_mask(np.abs(v + 0.03) - 0.36, 0.02)
    )
    image += 0.06 * ribs * cage

    collar = np.abs(v + 0.31 - 0.25 * (np.abs(u) - 0.2)) - 0.014
    image += 0.11 * _soft_mask(collar, 0.006) * _soft_mask(np.abs(np.abs(u) - 0.21) - 0.16, 0.01)
    image += 0.13 * _soft_mask(np.abs(u) - 0.045, 0.012) * (1 + 0.12 * np.sin(v * 95))

    size = patient_rng.normal(0.165, 0.014)
    heart = np.sqrt(((u - 0.05) / (size * 1.05)) ** 2 + ((v - 0.13) / (size * 1.15)) ** 2) - 1
    heart = _soft_mask(heart, 0.08)
    image += heart * lungs * 0.30
    return image.astype(np.float32), (lungs * (1 - heart)).astype(np.float32)
