"""The command line.

- `app`: a function per command, with its options;
- `opening`: opens the competition of a command, with the checks before its work begins;
- `options`: options that commands share, and the reading of their values;
- `outcome`: exit codes, and errors as one line.
"""

from medfold.cli.app import app, main

__all__ = ["app", "main"]
