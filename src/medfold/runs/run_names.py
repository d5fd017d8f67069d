"""Names of runs."""

import re

from medfold.errors import UserError
from medfold.paths import CompetitionPaths, RunPaths
from medfold.system.path_checks import is_plain_name
from medfold.terminal.command_text import variable


def checked_run_paths(paths: CompetitionPaths, name: str, option: str = "RUN") -> RunPaths:
    """Returns the paths of a run after checking its name.

    Args:
        paths: paths of the competition.
        name: name of the run; the run need not exist.
        option: the variable that names it, for the error message: RUN or RUNS. Defaults to RUN.

    Raises:
        UserError: the name is not a plain folder name.
    """
    if not is_plain_name(name):
        raise UserError(
            "a run's name must be a plain folder name",
            variable(option, name),
            f"Example: {variable(option, 'large-images')}",
        )
    if "," in name and not paths.run(name).metadata.is_file():
        fix = f"Put spaces between the names of several runs: {variable('RUNS', name.replace(',', ' '))}"
        raise UserError("a run's name must not contain commas", variable(option, name), fix)
    example = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-")
    if re.search(r"[\s+]", name) and not paths.run(name).metadata.is_file():
        what = f"a run's name must not contain spaces or +: {variable('RUNS')} joins names with them"
        raise UserError(what, variable(option, name), f"Example: {variable(option, example)}")
    return paths.run(name)
