"""Names of runs."""

import re

from medfold.errors import UserError
from medfold.paths import CompetitionPaths, RunPaths
from medfold.system.path_checks import is_plain_name
from medfold.terminal.command_text import variable


def checked_run_paths(paths: CompetitionPaths, name: str) -> RunPaths:
    """Returns the paths of a run after checking its name.

    Raises:
        UserError: the name is not a plain folder name.
    """
    if not is_plain_name(name):
        raise UserError(
            "a run's name must be a plain folder name",
            variable("RUN", name),
            f"Example: {variable('RUN', 'large-images')}",
        )
    if "," in name and not paths.run(name).metadata.is_file():
        fix = f"Put spaces between the names of several runs: {variable('RUNS', name.replace(',', ' '))}"
        raise UserError("a run's name must not contain commas", variable("RUN", name), fix)
    example = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-")
    if re.search(r"[\s+]", name) and not paths.run(name).metadata.is_file():
        what = f"a run's name must not contain spaces or +: {variable('RUNS')} joins names with them"
        raise UserError(what, variable("RUN", name), f"Example: {variable('RUN', example)}")
    return paths.run(name)
