"""Nets that are kept from one fold to the next, so that TensorFlow traces their steps once for several folds."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from medfold.training.loop.phases import Phase


class KeptNets:
    """Keeps the traced net and phases of a fold for the next fold.

    Tracing a training step takes seconds. A traced step depends on shapes and constants; everything else is in
    variables. So each fold builds its own net and optimizers. If shapes and constants are those of the fold before, the
    new values are copied into the traced net, which is then trained. The result has the same bytes as without this.
    """

    def __init__(self):
        self._net: keras.Model | None = None
        self._phases: list[Phase] = []

    def prepare(self, build: Callable[[], tuple[keras.Model, list[Phase]]]) -> tuple[keras.Model, list[Phase]]:
        """Returns the net and the phases of a fold: those of the last fold where they suit, else new ones.

        Args:
            build: () -> the net of the fold and its phases, untrained; called again gives the same values.
        """
        if self._net is not None:
            net, phases = build()
            if _trace_inputs(net, phases) == _trace_inputs(self._net, self._phases):
                _copy_values(net, self._net)
                self._phases = [new.trained_by(kept) for new, kept in zip(phases, self._phases, strict=True)]
                return self._net, self._phases
            del net, phases
            self._net, self._phases = None, []
        keras.backend.clear_session()  # layer names contain a counter, and a checkpoint identifies layers by name
        self._net, self._phases = build()
        return self._net, self._phases


def _trace_inputs(net: keras.Model, phases: list[Phase]) -> list[Any]:
    """Returns what the traces of a net depend on, apart from the values of variables."""
    variables = [(variable.dtype, tuple(variable.shape)) for variable in net.variables]
    return [variables, *((phase.name, phase.batch_trainer.constants) for phase in phases)]


def _copy_values(source: keras.Model, target: keras.Model) -> None:
    for variable, value in zip(target.variables, source.variables, strict=True):
        variable.assign(np.array(value))
