"""Keras callbacks that a recipe can name."""

from pathlib import Path
from typing import Any

import keras

from medfold.errors import SettingError
from medfold.registry import Registry

CALLBACKS: Registry[type[keras.callbacks.Callback]] = Registry("callback")


def callback(callback_class: type[keras.callbacks.Callback]) -> type[keras.callbacks.Callback]:
    r"""Registers a callback class under its own name.

    Example:
        >>> @callback
        ... class Bell(keras.callbacks.Callback):
        ...     def on_train_end(self, logs=None):
        ...         print("\a")
    """
    CALLBACKS.register(callback_class.__name__, callback_class, callback_class.__module__)
    return callback_class


for _name, _class in vars(keras.callbacks).items():
    if isinstance(_class, type) and issubclass(_class, keras.callbacks.Callback) and _name == _class.__name__:
        callback(_class)


def check_callbacks(specs: list[str | dict[str, dict[str, Any]]]) -> None:
    """Checks that the callbacks of a recipe exist.

    Raises:
        UserError: a name is unknown; the nearest one is suggested.
    """
    for spec in specs:
        for name in [spec] if isinstance(spec, str) else spec:
            CALLBACKS.find(name, "training.callbacks")


def build_callbacks(specs: list[str | dict[str, dict[str, Any]]], folder: Path) -> list[keras.callbacks.Callback]:
    """Creates the callbacks of a recipe.

    Args:
        specs: names of classes in `keras.callbacks` or plugins.py, or {name: {argument: value}}; `{folder}` in a text
            value is replaced by the folder of the fold.
        folder: the folder of the fold.

    Raises:
        SettingError: the name is unknown (the nearest one is suggested), or the class does not accept an argument.
    """
    if specs:
        folder.mkdir(parents=True, exist_ok=True)
    callbacks = []
    for spec in specs:
        ((name, arguments),) = ({spec: {}} if isinstance(spec, str) else spec).items()
        callback_class = CALLBACKS.find(name, "training.callbacks")
        filled = {
            key: value.replace("{folder}", str(folder)) if isinstance(value, str) else value
            for key, value in arguments.items()
        }
        try:
            callbacks.append(callback_class(**filled))
        except (TypeError, ValueError) as error:
            fix = f"Check the arguments of {name}"
            raise SettingError(f"{name}: {str(error).splitlines()[0]}", "training.callbacks", fix) from None
    return callbacks
