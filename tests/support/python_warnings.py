"""Python's warnings, printed as in a terminal."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def warnings_on_stderr() -> Iterator[None]:
    """Prints the warnings within the block to standard error, as outside of pytest, which collects them."""

    def show(message, category, filename, lineno, file=None, line=None) -> None:
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))

    with warnings.catch_warnings():
        warnings.resetwarnings()
        for hidden in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):  # by Python too
            warnings.simplefilter("ignore", hidden)
        warnings.showwarning = show
        yield
