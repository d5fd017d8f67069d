"""Registries of what competition.yaml and recipes refer to by name, built in or from a competition's plugins.py.

Each kind, such as metrics, has one registry and one decorator. `plugins.py` runs at the first name that is not built
in, or when all names are listed: it may import Keras, which takes seconds, and most commands do not need it.
"""

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
            UserError: the name is taken.
        """
        if name in self._built_in or name in self._plugged:
            raise UserError(f"{self._kind} '{name}' exists already", "plugins.py", "Choose another name")
        is_plugged = _is_running and not module.startswith("medfold.")
        (self._plugged if is_plugged else self._built_in)[name] = item

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
        return self._built_in[name] if name in self._built_in else self._all()[name]

    def __contains__(self, name: str) -> bool:
        return name in self._built_in or name in self._all()

    def names(self) -> list[str]:
        """Returns all names, the built-in ones first."""
        return list(self._all())

    def all(self) -> list[T]:
        """Returns all functions or classes, in the order of `names`."""
        return list(self._all().values())

    def is_built_in(self, name: str) -> bool:
        """Returns True for a built-in name; does not run plugins.py."""
        return name in self._built_in

    def _all(self) -> dict[str, T]:
        """Runs plugins.py, unless it has run or is running, and returns everything by name."""
        load_plugins()
        return self._built_in | self._plugged


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
