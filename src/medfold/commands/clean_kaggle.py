"""Stage `clean-kaggle`: what the kit put on Kaggle, listed or removed."""

from medfold.console import say
from medfold.kaggle import SITE, KaggleSession, Machines

OURS = "medfold-"
PAGES = {"notebook": "code", "data set": "datasets"}


def clean_kaggle(remove: bool = False) -> None:
    """Lists one's notebooks and data sets at Kaggle that the kit made; with `remove`, deletes them there.

    Everything on this machine stays, and so do scores; but Kaggle cannot run again a notebook that is gone.

    Raises:
        UserError: no credentials, or Kaggle's reason not to delete one.
    """
    machines = Machines(KaggleSession.connect())
    found = list(machines.listed(OURS))
    for kind, ref in found:
        if remove:
            machines.remove(kind, ref)
        say("removed" if remove else kind, f"{kind} {ref}" if remove else f"{SITE}/{PAGES[kind]}/{ref}")
    if not found:
        say("kaggle", f"nothing of yours there begins with {OURS}")
    elif not remove:
        say("", f"{len(found)} in all; make clean-kaggle YES=1 removes them there, for good")
