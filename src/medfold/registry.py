"""Registries of what competition.yaml and recipes refer to by name, built in or from a competition's plugins.py.

Each kind, such as metrics, has one registry and one decorator. `plugins.py` runs at the first name that is not built
in, or when all names are listed: it may import Keras, which takes seconds, and most commands do not need it.
"""

import importlib
from collections.abc import Callable
from typing import Generic, TypeVar

from medfold.errors import SettingError, UserError
from medfold.text import did_you_mean

T = TypeVar("T")
_registries: list["Registry"] = []
_is_running = False  # True while plugins.py runs


def _run_none() -> None:
    """Does nothing: the default, without plugins."""


_run_plugins: Callable[[], None] = _run_none


class NameTakenError(UserError):
    """A name that plugins.py registers is there already; `competition.plugins` adds the file and the line."""


class Registry(Generic[T]):
    """Functions or classes of one kind, by name: the built-in ones, and yours from plugins.py.

    Args:
        kind: name of the kind, such as `metric`, for error messages.

    Example:
        >>> METRICS = Registry("metric")
        >>> METRICS.register("auc", auc, auc.__module__)
        >>> METRICS["auc"], "auc" in METRICS, METRICS.names()
        (auc, True, ['auc'])
        >>> METRICS.find("auk", "score.metric")
        UserError: score.metric: unknown metric 'auk' (did you mean 'auc'?). Known: auc
    """

    def __init__(self, kind: str):
        self._kind = kind
        self._built_in: dict[str, T] = {}
        self._lazy: dict[str, tuple[str, str]] = {}  # module and attribute of those imported on demand
        self._plugged: dict[str, T] = {}
        _registries.append(self)

    def register(self, name: str, item: T, module: str) -> None:
        """Adds a function or class under a name.

        Args:
            name: name for competition.yaml or a recipe.
            item: the function or class, or an object that holds it.
            module: name of the module that defines the function or class. What medfold defines is built in, although
                plugins.py may be the first to import its module.

        Raises:
            NameTakenError: the name is taken.
        """
        if self.is_built_in(name) or name in self._plugged:
            raise NameTakenError(f"{self._kind} '{name}' exists already", None, "Choose another name")
        is_plugged = _is_running and not module.startswith("medfold.")
        (self._plugged if is_plugged else self._built_in)[name] = item

    def register_lazily(self, name: str, module: str, attribute: str) -> None:
        """Adds a built-in function or object under a name; its module is imported when it is used.

        Args:
            name: name for competition.yaml or a recipe.
            module: name of the module that defines it.
            attribute: its name in the module.
        """
        self._lazy[name] = module, attribute

    def find(self, name: str, where: str, known: str = "") -> T:
        """Returns the function or class that the user named in a configuration file.

        Args:
            name: name that the user wrote.
            where: the configuration key that holds the name, for the error message.
            known: text for the error message instead of the list of all names. Defaults to all names.

        Raises:
            UserError: the name is unknown (the message suggests the nearest one), or plugins.py fails.
        """
        if name not in self:
            names = self.names()
            what = f"unknown {self._kind} '{name}'{did_you_mean(name, names)}"
            raise SettingError(what, where, f"Known: {known or ', '.join(names)}")
        return self[name]

    def __getitem__(self, name: str) -> T:
        """Returns the function or class of a name; raises KeyError for an unknown one."""
        if name in self._lazy:
            module, attribute = self._lazy[name]
            return getattr(importlib.import_module(module), attribute)
        if name not in self._built_in:
            load_plugins()
        return self._built_in[name] if name in self._built_in else self._plugged[name]

    def __contains__(self, name: str) -> bool:
        return self.is_built_in(name) or name in self.names()

    def names(self) -> list[str]:
        """Returns all names, the built-in ones first."""
        load_plugins()
        return [*self._lazy, *self._built_in, *self._plugged]

    def all(self) -> list[T]:
        """Returns all functions or classes, in the order of `names`."""
        return [self[name] for name in self.names()]

    def is_built_in(self, name: str) -> bool:
        """Returns True for a built-in name; does not run plugins.py."""
        return name in self._lazy or name in self._built_in


def load_plugins() -> None:
    """Runs plugins.py, unless it has run or is running."""
    if not _is_running:
        _run_plugins()


def set_plugin_loader(load: Callable[[], None]) -> None:
    """Sets the function that runs the plugins; forgets what earlier plugins registered.

    Args:
        load: registers functions and classes; called once, at the first name that is not built in.
    """
    global _run_plugins
    for registry in _registries:
        registry._plugged.clear()
    has_started = False

    def load_once() -> None:
        global _is_running
        nonlocal has_started
        if has_started:
            return
        has_started = _is_running = True
        try:
            load()
        finally:
            _is_running = False

    _run_plugins = load_once
