"""The command line.

- `app`: a function per command, with its options;
- `options`: options that commands share, and the reading of their values;
- `outcome`: exit codes, and errors as one line.
"""

from medfold.cli.app import app, main

__all__ = ["app", "main"]
