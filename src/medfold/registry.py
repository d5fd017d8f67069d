"""Registries of what competition.yaml and recipes refer to by name, built in or from a competition's plugins.py.

Each kind, such as metrics, has one registry and one decorator. `plugins.py` runs at the first name that is not built
in: it may import Keras, which takes seconds, and most commands do not need it.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from medfold.errors import UserError, did_you_mean

T = TypeVar("T")
_registries: list["Registry"] = []
_is_running = False


def _run_none() -> None:
    """The default: there are no plugins to run."""


_run_plugins: Callable[[], None] = _run_none


class Registry(Mapping[str, T], Generic[T]):
    """Registered items of one kind, by name.

    Args:
        kind: what the items are, for error messages, such as `metric`.

    Example:
        >>> METRICS = Registry("metric")
        >>> METRICS.register("auc", auc)
        >>> METRICS.find("auk", "score.metric")
        UserError: score.metric: unknown metric 'auk' (did you mean 'auc'?). Known: auc
    """

    def __init__(self, kind: str):
        self._kind, self._built_in, self._plugged = kind, {}, {}
        _registries.append(self)

    def register(self, name: str, item: T) -> None:
        """Adds an item under a name.

        Raises:
            UserError: the name is taken.
        """
        if name in self._built_in or name in self._plugged:
            raise UserError(f"{self._kind} '{name}' exists already", "plugins.py", "Choose another name")
        (self._plugged if _is_running and not _within_medfold() else self._built_in)[name] = item

    def find(self, name: str, where: str, known: str = "") -> T:
        """Returns the item of a name.

        Args:
            where: the configuration key that holds the name, for the error message.
            known: text for the error message instead of the list of all names. Defaults to all names.

        Raises:
            UserError: the name is unknown (the message suggests the nearest one), or plugins.py fails.
        """
        try:
            return self[name]
        except KeyError:
            names = known or ", ".join(self)
            raise UserError(
                f"unknown {self._kind} '{name}'{did_you_mean(name, list(self))}", where, f"Known: {names}"
            ) from None

    def is_built_in(self, name: str) -> bool:
        """Returns True for a built-in name; does not run plugins.py."""
        return name in self._built_in

    def all(self) -> list[T]:
        """Returns all items, including those of plugins.py."""
        if not _is_running:
            _run_plugins()
        return list(self.values())

    def __getitem__(self, name: str) -> T:
        if name not in self._built_in and name not in self._plugged and not _is_running:
            _run_plugins()
        return self._built_in[name] if name in self._built_in else self._plugged[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._built_in
        yield from self._plugged

    def __len__(self) -> int:
        return len(self._built_in) + len(self._plugged)

    def __contains__(self, name: object) -> bool:
        try:
            self[name]
        except KeyError:
            return False
        return True


def _within_medfold() -> bool:
    """Returns True while a module of medfold is being imported, which plugins.py may be the first to do."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    return frame is not None and frame.f_globals["__name__"].startswith("medfold.")


def set_plugin_loader(load: Callable[[], None]) -> None:
    """Sets the function that runs the plugins; forgets the items of earlier plugins.

    Args:
        load: registers the items; called once, at the first name that is not built in.
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
