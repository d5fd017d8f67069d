"""`make notebook`: packs the trained folds and writes a notebook that submits them, without uploading."""

from medfold.commands.shared.show_ensemble import combine_and_show
from medfold.competition import RESEARCH_NOTICE, Competition
from medfold.kaggle import NotebookJob
from medfold.notebooks import pack_submission
from medfold.project_root import display_path
from medfold.runs import packing_lock
from medfold.terminal.console import say


def notebook(
    competition: Competition, run_names: list[str], method: str | None = None, per_class: bool = False
) -> NotebookJob:
    """Packs runs and writes the notebook, to read it or to upload it by hand; nothing leaves this machine.

    Args:
        competition: the competition of the runs; bundle and notebook are put beside the first run.
        run_names: names of the runs, one per member.
        method: name of the method to combine the runs by. Defaults to the choice by cross-fitted scores.
        per_class: fit separate weights for each class or label. Defaults to False.

    Returns:
        The job for Kaggle; nothing is sent.

    Raises:
        UserError: untrained runs, runs that do not fit together, or a wheel that cannot be built or downloaded.
    """
    dataset, ensemble, _ = combine_and_show(competition, run_names, method, per_class)
    with packing_lock(competition.paths, ensemble.run_names):
        job = pack_submission(competition, dataset, ensemble)
    say("notebook", display_path(job.notebook))
    say(
        "by hand",
        "upload the bundle's files as a private data set; upload the notebook, attach data set and competition",
    )
    say("", RESEARCH_NOTICE)
    return job
