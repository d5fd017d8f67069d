"""Search for access keys in texts that are packed: a token that was pasted into a README or a recipe must stay here.

Only keys that have a form of their own are found. These are the services whose keys are at hand on a machine where a
net is trained: Kaggle and Hugging Face for data and weights, GitHub for the code, OpenAI for help with it, AWS for
storage; and private keys of any kind, for SSH. A password has no form: it is not found.
"""

import re
from pathlib import Path

from medfold.errors import UserError
from medfold.project_root import display_path

ACCESS_KEYS = {
    "Kaggle token": r"\bKGAT_[0-9A-Za-z]{16,}",
    "Kaggle key": r'\bKAGGLE_KEY\W{1,5}[0-9a-f]{32}\b|\bkey\\?"\s*:\s*\\?"[0-9a-f]{32}\b',
    "Hugging Face token": r"\bhf_[0-9A-Za-z]{30,}",
    "GitHub token": r"\b(?:gh[oprsu]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{36,})",
    "OpenAI key": r"(?<![\w-])sk-(?:(?:proj|svcacct|admin)-[\w-]{20,}|[0-9A-Za-z]{32,})",
    "AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
}


def check_no_access_key(text: str, path: Path) -> None:
    """Refuses a text that contains what looks like an access key; the message names its kind and line only.

    Args:
        text: contents of a file.
        path: path of the file, for the message.

    Raises:
        UserError: the text contains one.
    """
    for kind, pattern in ACCESS_KEYS.items():
        if found := re.search(pattern, text):
            line = text.count("\n", 0, found.start()) + 1
            what = f"contains what looks like a {kind}, so nothing is packed"
            fix = "Remove it; revoke it if others may have seen the file"
            raise UserError(what, f"{display_path(path)}: line {line}", fix)
