"""`make clean-kaggle`: lists or removes what medfold put on Kaggle."""

from medfold.kaggle import KaggleSession, list_content, remove_content
from medfold.terminal.command_text import command
from medfold.terminal.console import say

PREFIX = "medfold-"


def clean_kaggle(remove: bool = False) -> None:
    """Lists the user's notebooks and data sets on Kaggle that medfold made, or deletes them there.

    All files on this machine stay, and so do scores; but Kaggle cannot rerun a deleted notebook.

    Args:
        remove: delete them. Defaults to False.

    Raises:
        UserError: no credentials, or Kaggle refuses to delete one.
    """
    session = KaggleSession.connect()
    contents = list(list_content(session, PREFIX))
    for content in contents:
        if remove:
            remove_content(session, content)
            say("removed", f"{content.kind} {content.ref}")
        else:
            say(content.kind, content.page)
    if not contents:
        say("kaggle", f"you have no notebooks or data sets on Kaggle with the prefix {PREFIX}")
    elif not remove:
        say("", f"{len(contents)} in all; {command('clean-kaggle', YES=1)} removes them there, for good")
