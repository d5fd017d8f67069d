"""Functions of predictions that were fitted on labels, stored as data: in memory and in ensemble.npz."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from medfold.earlier_versions import SAVED_STEPS
from medfold.errors import UserError
from medfold.registry import Registry
from medfold.system import files, json_files
from medfold.system.array_files import DAMAGED_ARRAY_ERRORS
from medfold.system.limits import zip_contents_bytes

TRANSFORM_STEPS: Registry[Callable[..., np.ndarray]] = Registry("transform step")


def transform_step(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Registers a function (predictions, **arguments) -> predictions under its own name, for `FittedTransform`.

    The name is saved in ensemble.npz, so a function keeps its name.
    """
    TRANSFORM_STEPS.register(_saved_name(function), function, function.__module__)
    return function


def _saved_name(function: Callable) -> str:
    return SAVED_STEPS.get(function.__name__, function.__name__)


@dataclass(frozen=True)
class FittedTransform:
    """A fitted function of predictions, stored as data, so that it can be saved and applied on another machine.

    Args:
        steps: saved names of functions decorated with `@transform_step`, each with its arguments (arrays or numbers).
            They are applied in order: the first takes predictions float64 (..., n, columns), the last returns float64
            (n, columns).
        parameters: the fitted values, for display.
    """

    steps: list[tuple[str, dict[str, Any]]]
    parameters: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_function(
        cls, function: Callable, parameters: dict[str, Any] | None = None, **arguments: Any
    ) -> "FittedTransform":
        """Makes a transform with a single step.

        Args:
            function: a function decorated with `@transform_step`.
            parameters: the fitted values, for display. Defaults to none.
            arguments: keyword arguments of the function.
        """
        return cls([(_saved_name(function), arguments)], parameters or {})

    def apply(self, predictions: np.ndarray) -> np.ndarray:
        """Applies the steps to predictions float64 (..., n, columns)."""
        for name, arguments in self.steps:
            predictions = TRANSFORM_STEPS[name](predictions, **arguments)
        return predictions

    def followed_by(self, other: "FittedTransform") -> "FittedTransform":
        """Returns a transform that applies the steps of this one, then the steps of another."""
        return FittedTransform([*self.steps, *other.steps], {**self.parameters, **other.parameters})

    def save(self, path: Path) -> None:
        """Writes the steps to an .npz file; equal steps give equal bytes."""
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
        """Reads a file of `save`. To apply the transform, the modules that define its functions must be imported.

        Raises:
            UserError: the file is damaged, or not one of `save`.
        """
        try:
            zip_contents_bytes(path)
            with np.load(path) as content:
                names = TypeAdapter(list[str]).validate_json(str(content["steps"]), strict=True)
                steps: list[tuple[str, dict[str, Any]]] = [(name, {}) for name in names]
                for key in content.files:
                    number, _, argument = key.partition(" ")
                    if argument:
                        steps[int(number)][1][argument] = content[key]
        except (*DAMAGED_ARRAY_ERRORS, ValueError, LookupError):
            raise UserError("damaged, or not what medfold wrote", path, json_files.RESTORE_OR_REMOVE) from None
        return cls(steps)
