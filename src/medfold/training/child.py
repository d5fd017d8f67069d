"""Work for a run in a child process: `python -m medfold.training.child`; see `system.reporting_processes`."""

import sys

from medfold.system.reporting_processes import work_as_child


def main() -> int:
    """Carries out the work that standard input requests (see `fold_training`), and returns the exit code."""
    return work_as_child(lambda work, send: work.carry_out(send))


if __name__ == "__main__":
    sys.exit(main())
