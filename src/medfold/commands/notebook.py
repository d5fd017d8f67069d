"""`make notebook`: packs the trained folds and writes a notebook that submits them; sends nothing."""

from medfold import files
from medfold.commands.ensemble import show_ensemble
from medfold.competition import RESEARCH_NOTICE, Project
from medfold.console import say
from medfold.ensemble import ensemble_runs
from medfold.kaggle import RemoteRun
from medfold.notebooks import UNDER_WAY, bundle_folder, pack_submission
from medfold.runs import load_dataset_for


def notebook(project: Project, names: list[str], method: str | None = None, per_class: bool = False) -> RemoteRun:
    """Packs runs and writes the notebook, for a look, or to be uploaded by hand; nothing leaves this machine.

    Args:
        names: of the runs.
        method, per_class: how to put several together, as `ensemble` takes them.

    Raises:
        UserError: runs that do not fit together or are not trained, or a package that cannot be made.
    """
    data = load_dataset_for(project, names)
    found = ensemble_runs(project, names, data, method, per_class)
    show_ensemble(project, found, method)
    with files.exclusive_lock(bundle_folder(project, found.names), UNDER_WAY):
        packed = pack_submission(project, data, found)
    say("notebook", project.display(packed.notebook))
    say("by hand", "upload the kit's files as a private data set; upload the notebook, attach data set and competition")
    say("", RESEARCH_NOTICE)
    return packed
