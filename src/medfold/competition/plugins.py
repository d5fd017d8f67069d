"""A competition's own code, `plugins.py`: metrics, backbones, losses and the like, without a change under src/.

It is code, and whoever puts a competition folder into a project trusts it (SECURITY.md).
"""

import importlib.util
import sys
from pathlib import Path

from medfold import files, registry
from medfold.errors import UserError

NAME = "plugins.py"
_active: Path | None = None
_contents: str | None = None


def use_plugins(file: Path | None) -> None:
    """Makes the plugins of a competition known; they are run at the first name that is not built in.

    Args:
        file: `plugins.py`; None, or a file that is not there, for none.
    """
    global _active, _contents
    file = file if file is not None and file.is_file() else None
    contents = plugins_hash(file) if file else None
    if file is not None and (file, contents) == (_active, _contents):
        return
    _active, _contents = file, contents
    registry.use_plugins(lambda: run_plugins(file) if file else None)


def active_plugins() -> Path | None:
    """The file that is in use, for processes that are begun."""
    return _active


def plugins_hash(file: Path) -> str | None:
    """SHA-256 of a plugins.py; None without one. It is part of what decides a run."""
    return files.sha256(file) if file.is_file() else None


def run_plugins(file: Path) -> None:
    """Runs a plugins.py, which registers what it defines.

    Raises:
        UserError: it fails; the line is named.
    """
    name = f"medfold_plugins_{files.sha256(file)[:12]}"
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # so that what it defines can be pickled
    try:
        spec.loader.exec_module(module)
    except UserError:
        raise
    except Exception as error:
        line, trace = 0, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == str(file):
                line = trace.tb_lineno
            trace = trace.tb_next
        line = getattr(error, "lineno", None) or line
        told = (str(error).splitlines() or [""])[0]
        raise UserError(f"{type(error).__name__} in line {line}: {told}", file, "It is code: mend it there") from None
