"""`make clean-kaggle`: removes what medfold put on Kaggle, after confirmation."""

from medfold.kaggle import KaggleSession, list_content, remove_content
from medfold.terminal.console import confirm, say

PREFIX = "medfold-"


def clean_kaggle(skip_question: bool = False) -> None:
    """Lists the user's notebooks and data sets on Kaggle that medfold made, asks once, and deletes them there.

    All files on this machine stay, and so do scores; but Kaggle cannot rerun a deleted notebook.

    Args:
        skip_question: delete without asking. Defaults to False.

    Raises:
        UserError: no credentials, no terminal to ask at, or Kaggle refuses to delete one.
    """
    session = KaggleSession.connect()
    contents = list(list_content(session, PREFIX))
    if not contents:
        say("kaggle", f"you have no notebooks or data sets on Kaggle with the prefix {PREFIX}")
        return
    for content in contents:
        say(content.kind, content.page)
    if not skip_question and not confirm(f"Remove these {len(contents)} from Kaggle for good?"):
        say("kaggle", "nothing was removed")
        return
    for content in contents:
        remove_content(session, content)
        say("removed", f"{content.kind} {content.full_name}")
