"""Cross-fitting: what is fitted on labels is judged on folds whose labels it has not seen."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from medfold import files
from medfold.registry import Registry

MAPS: Registry[Callable[..., np.ndarray]] = Registry("prediction map")


def prediction_map(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Registers a function (predictions, **arguments) -> predictions under its own name, for `Fitted`."""
    MAPS.register(function.__name__, function)
    return function


@dataclass(frozen=True)
class FittedTransform:
    """What came of fitting: a map of predictions, as data, so that another machine can apply it from a file.

    Args:
        steps: names of functions with `@prediction_map` and their arguments, which are arrays or numbers; one after the
            other they make of predictions float64 (..., n, columns) others, in the end float64 (n, columns).
        parameters: what was found, for people.
    """

    steps: list[tuple[str, dict[str, Any]]]
    parameters: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def by(cls, function: Callable, parameters: dict[str, Any] | None = None, **arguments: Any) -> "FittedTransform":
        """A single step."""
        return cls([(function.__name__, arguments)], parameters or {})

    def apply(self, predictions: np.ndarray) -> np.ndarray:
        for name, arguments in self.steps:
            predictions = MAPS[name](predictions, **arguments)
        return predictions

    def save(self, path: Path) -> None:
        """Writes the steps into an .npz file; equal steps give equal bytes."""
        arrays = {
            f"{number} {key}": np.asarray(value)
            for number, (_, arguments) in enumerate(self.steps)
            for key, value in arguments.items()
        }
        names = json.dumps([name for name, _ in self.steps])
        with files.atomic_write(path) as temporary, temporary.open("wb") as file:
            np.savez(file, steps=np.array(names), **arrays)

    @classmethod
    def load(cls, path: Path) -> "FittedTransform":
        """Reads what `save` wrote; the modules whose functions it names must be imported to apply it."""
        with np.load(path) as content:
            steps: list[tuple[str, dict[str, Any]]] = [(name, {}) for name in json.loads(str(content["steps"]))]
            for key in content.files:
                number, _, argument = key.partition(" ")
                if argument:
                    steps[int(number)][1][argument] = content[key]
        return cls(steps)


Fit = Callable[[np.ndarray, np.ndarray], FittedTransform]


def cross_fit(fit: Fit, predictions: np.ndarray, targets: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Each fold's predictions, by what was fitted on the other folds.

    Args:
        fit: (predictions, targets) -> Fitted.
        predictions: float64 (..., n, columns); leading axes are for members of an ensemble.
        targets: int (n,) or (n, labels).
        fold: int (n,), two or more different numbers.

    Returns:
        float64 (n, columns).
    """
    numbers = np.unique(fold)
    if len(numbers) < 2:
        raise ValueError("cross-fitting takes two folds or more")
    result = np.empty(predictions.shape[-2:])
    for number in numbers:
        held = fold == number
        fitted = fit(predictions[..., ~held, :], targets[~held])
        result[held] = fitted.apply(predictions[..., held, :])
    return result


def chained(first: Fit, second: Fit) -> Fit:
    """One fit after the other: the second is fitted on what the first makes of the predictions."""

    def fit(predictions: np.ndarray, targets: np.ndarray) -> FittedTransform:
        one = first(predictions, targets)
        two = second(one.apply(predictions), targets)
        return FittedTransform([*one.steps, *two.steps], {**one.parameters, **two.parameters})

    return fit
