"""`make clean-kaggle`: what medfold put on Kaggle, listed or removed."""

from medfold.console import say
from medfold.kaggle import KaggleSession, list_content, remove_content

OURS = "medfold-"


def clean_kaggle(remove: bool = False) -> None:
    """List the user's notebooks and data sets at Kaggle that the kit made; with `remove`, delete them there.

    Everything on this machine stays, and so do scores; but Kaggle cannot run again a notebook that was deleted.

    Args:
        remove: delete them. Defaults to False.

    Raises:
        UserError: no credentials, or Kaggle's reason not to delete one.
    """
    session = KaggleSession.connect()
    found = list(list_content(session, OURS))
    for content in found:
        if remove:
            remove_content(session, content)
            say("removed", f"{content.kind} {content.ref}")
        else:
            say(content.kind, content.page)
    if not found:
        say("kaggle", f"nothing of yours there begins with {OURS}")
    elif not remove:
        say("", f"{len(found)} in all; make clean-kaggle YES=1 removes them there, for good")
