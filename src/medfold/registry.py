"""Registries: what competition.yaml and recipes name, built in or in a competition's own plugins.py.

A kind of thing, such as metrics, has one registry and one decorator. `plugins.py` is run at the first name that is not
built in: it may import Keras, which takes seconds, and most commands need none of it.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from medfold.errors import UserError, did_you_mean

T = TypeVar("T")
_every: list["Registry"] = []
_running = False


def _nothing() -> None:
    """Runs no plugins: there are none."""


_run_plugins: Callable[[], None] = _nothing


class Registry(Mapping[str, T], Generic[T]):
    """Things of one kind by name.

    Args:
        kind: what they are, for errors, such as `metric`.

    Example:
        >>> METRICS = Registry("metric")
        >>> METRICS.register("auc", auc)
        >>> METRICS.find("auk", "score.metric")
        UserError: score.metric: unknown metric 'auk' (did you mean 'auc'?). Known: auc
    """

    def __init__(self, kind: str):
        self._kind, self._built_in, self._plugged = kind, {}, {}
        _every.append(self)

    def register(self, name: str, thing: T) -> None:
        """Adds a thing.

        Raises:
            UserError: the name is taken.
        """
        if name in self._built_in or name in self._plugged:
            raise UserError(f"there is a {self._kind} '{name}' already", "plugins.py", "Give yours another name")
        (self._plugged if _running and not _within_medfold() else self._built_in)[name] = thing

    def find(self, name: str, where: str, known: str = "") -> T:
        """A thing by name.

        Args:
            where: the key that names it, for the error.
            known: what to name instead of all names. Defaults to all names.

        Raises:
            UserError: there is none (nearest named), or plugins.py cannot be run.
        """
        try:
            return self[name]
        except KeyError:
            told = known or ", ".join(self)
            raise UserError(
                f"unknown {self._kind} '{name}'{did_you_mean(name, list(self))}", where, f"Known: {told}"
            ) from None

    def is_built_in(self, name: str) -> bool:
        """True for a name that needs no plugins.py; it is not run."""
        return name in self._built_in

    def all(self) -> list[T]:
        """Every thing, those of plugins.py too."""
        if not _running:
            _run_plugins()
        return list(self.values())

    def __getitem__(self, name: str) -> T:
        if name not in self._built_in and name not in self._plugged and not _running:
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
    """True while a module of medfold is imported: plugins.py may be the first to import it."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    return frame is not None and frame.f_globals["__name__"].startswith("medfold.")


def use_plugins(run: Callable[[], None]) -> None:
    """Has `run` called at the first name that is not built in; forgets what other plugins brought.

    Args:
        run: registers things; called once.
    """
    global _run_plugins
    for registry in _every:
        registry._plugged.clear()
    begun = False

    def once() -> None:
        global _running
        nonlocal begun
        if begun:
            return
        begun = _running = True
        try:
            run()
        finally:
            _running = False

    _run_plugins = once
