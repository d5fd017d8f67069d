"""Keras callbacks that a recipe can name."""

import inspect
from pathlib import Path
from typing import Any

import keras

from medfold.errors import SettingError
from medfold.registry import Registry
from medfold.text import did_you_mean

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
    """Checks that the callbacks of a recipe exist and have the arguments that it sets.

    Raises:
        SettingError: a name or an argument is unknown (the nearest one is suggested), or an argument is missing.
    """
    for spec in specs:
        if isinstance(spec, dict) and len(spec) != 1:
            fix = "Example: training.callbacks: [TerminateOnNaN, {EarlyStopping: {patience: 3}}]"
            raise SettingError(f"expected one callback per list item, received {spec}", "training.callbacks", fix)
        ((name, arguments),) = ({spec: {}} if isinstance(spec, str) else spec).items()
        _check_arguments(name, CALLBACKS.find(name, "training.callbacks"), arguments)


def _check_arguments(name: str, callback_class: type[keras.callbacks.Callback], arguments: dict[str, Any]) -> None:
    """Checks the names of the arguments of a callback, unless it takes any."""
    signature = inspect.signature(callback_class)
    if any(parameter.kind == parameter.VAR_KEYWORD for parameter in signature.parameters.values()):
        return
    known = list(signature.parameters)
    for argument in arguments:
        if argument not in known:
            what = f"{name} has no argument '{argument}'{did_you_mean(argument, known)}"
            raise SettingError(what, "training.callbacks", f"It has: {', '.join(known) or 'none'}")
    try:
        signature.bind(**arguments)
    except TypeError as error:
        raise SettingError(f"{name}: {error}", "training.callbacks", f"It has: {', '.join(known)}") from None


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
