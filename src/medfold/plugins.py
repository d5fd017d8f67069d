"""Everything that a competition's `plugins.py` needs: a decorator for each kind of plugin, and their helpers.

These names stay; the names of other modules may change. A name imports its module when it is used, so that a plugin
without a net does not import Keras.

Example:
    >>> from medfold.plugins import metric, to_classes
"""

import importlib
from typing import Any

# The module of each name. Two names are not in the __init__ of training, which must not import Keras.
_MODULES = {
    "FittedTransform": "medfold.scoring",
    "StrictModel": "medfold.config",
    "backbone": "medfold.models",
    "callback": "medfold.training.loop.callbacks",
    "ensemble_method": "medfold.ensemble",
    "image_format": "medfold.images",
    "label_layout": "medfold.data",
    "loss": "medfold.training.loop.losses",
    "metric": "medfold.scoring",
    "preparation_step": "medfold.images",
    "source": "medfold.data",
    "to_classes": "medfold.scoring",
    "tracker": "medfold.tracking",
    "transform_step": "medfold.scoring",
}
_FORMER_NAMES = {"prediction_map": "transform_step"}
__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    name = _FORMER_NAMES.get(name, name)
    if name not in _MODULES:
        raise AttributeError(f"medfold.plugins has no '{name}'. It has {', '.join(__all__)}")
    return getattr(importlib.import_module(_MODULES[name]), name)
