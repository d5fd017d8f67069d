"""Keras callbacks that a recipe names."""

from pathlib import Path
from typing import Any

import keras

from medfold.errors import UserError, nearest


def callbacks_of(specs: list[str | dict[str, dict[str, Any]]], folder: Path) -> list[keras.callbacks.Callback]:
    """Makes the callbacks of a recipe.

    Args:
        specs: names of classes in `keras.callbacks`, or {name: {argument: value}}; `{folder}` in a text value stands
            for the folder of the fold.
        folder: of the fold.

    Raises:
        UserError: an unknown name (nearest named), or an argument that the class does not take.
    """
    made = []
    for spec in specs:
        ((name, arguments),) = ({spec: {}} if isinstance(spec, str) else spec).items()
        known = {key: each for key, each in vars(keras.callbacks).items() if isinstance(each, type)}
        if name not in known:
            raise UserError(f"unknown callback '{name}'{nearest(name, known)}", "training.callbacks")
        filled = {
            key: value.replace("{folder}", str(folder)) if isinstance(value, str) else value
            for key, value in arguments.items()
        }
        try:
            made.append(known[name](**filled))
        except (TypeError, ValueError) as error:
            raise UserError(f"{name}: {str(error).splitlines()[0]}", "training.callbacks") from None
    return made
