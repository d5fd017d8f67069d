"""The code of a competition, `plugins.py`: its own metrics, backbones, losses and so on, without a change in src/.

It is code that medfold runs: add only competition folders that you trust (SECURITY.md).
"""

import importlib.util
import sys
import warnings
from pathlib import Path

from medfold import registry
from medfold.errors import UserError
from medfold.system.hashes import sha256

_active: Path | None = None
_active_hash: str | None = None


def use_plugins(file: Path | None) -> None:
    """Sets the plugins file of the open competition; it is run at the first name that is not built in.

    Args:
        file: `plugins.py`; None, or a file that does not exist, for no plugins.

    Raises:
        UserError: the file is not valid Python; other errors appear when it is run.
    """
    global _active, _active_hash
    file = file if file is not None and file.is_file() else None
    content_hash = plugins_hash(file) if file else None
    if file is not None and (file, content_hash) == (_active, _active_hash):
        return
    if file is not None:
        _check_syntax(file)
    _active, _active_hash = file, content_hash
    registry.set_plugin_loader(lambda: run_plugins(file) if file else None)


def _check_syntax(file: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are shown when the file is run
        try:
            compile(file.read_bytes(), file, "exec")
        except (SyntaxError, ValueError) as error:
            raise _error_in(file, error) from None


def active_plugins() -> Path | None:
    """Returns the plugins file in use, to pass it on to subprocesses."""
    return _active


def plugins_hash(file: Path) -> str | None:
    """Returns the SHA-256 of a plugins.py, or None if there is none; part of the identity of a run."""
    return sha256(file) if file.is_file() else None


def run_plugins(file: Path) -> None:
    """Runs a plugins.py, which registers its classes and functions. Nothing is written beside it, as an import would.

    Raises:
        UserError: plugins.py fails; the message names the line.
    """
    name = f"medfold_plugins_{sha256(file)[:12]}"
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # so that its classes and functions can be pickled
    try:
        exec(compile(file.read_bytes(), file, "exec"), vars(module))
    except registry.NameTakenError as error:
        raise UserError(f"line {_line_of(file, error)}: {error.what}", file, error.fix) from None
    except UserError:
        raise
    except Exception as error:
        raise _error_in(file, error) from None


def _error_in(file: Path, error: Exception) -> UserError:
    """Returns an error raised by a plugins.py, or by Python when it reads it, as one line that names the line."""
    line = getattr(error, "lineno", None) or _line_of(file, error)
    message = (str(getattr(error, "msg", None) or error).splitlines() or [""])[0]
    return UserError(f"{type(error).__name__} in line {line}: {message}", file, "Correct the code there")


def _line_of(file: Path, error: Exception) -> int:
    """Returns the last line of a file that led to an error; 0 if none did."""
    line = 0
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(file):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
