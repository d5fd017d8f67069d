"""Access keys in texts that are packed are found by their form, and never shown."""

from pathlib import Path

import pytest

from medfold.notebooks.access_keys import ACCESS_KEYS, check_no_access_key
from tests.support.helpers import refused

LETTERS = "aB3" * 20  # the keys are put together here, so that no scanner takes this file for a leak
KEYS = {
    "Kaggle token": ["KGAT_" + LETTERS[:32]],
    "Kaggle key": ['{"username":"me","key":"' + "0f" * 16 + '"}', "export KAGGLE_KEY=" + "0f" * 16],
    "Hugging Face token": ["hf_" + LETTERS[:34]],
    "GitHub token": ["ghp_" + LETTERS[:36], "gho_" + LETTERS[:36], "github_pat_" + LETTERS[:22] + "_" + LETTERS[:59]],
    "OpenAI key": ["sk-" + LETTERS[:48], "sk-proj-" + LETTERS[:30] + "-_" + LETTERS[:30]],
    "AWS key": ["AKIA" + "A3" * 8],
    "private key": ["-----BEGIN " + "OPENSSH PRIVATE KEY-----"],
}


@pytest.mark.parametrize(("kind", "key"), [(kind, key) for kind, keys in KEYS.items() for key in keys])
def test_key_is_named_by_kind_and_line_and_not_shown(kind, key):
    with refused(f"README.md: line 3: contains what looks like a {kind}, so nothing is packed. Remove it") as caught:
        check_no_access_key(f"# Notes\n\nlogin: {key}\n", Path("README.md"))
    assert key not in str(caught.value)


def test_each_kind_of_key_is_tested():
    assert set(KEYS) == set(ACCESS_KEYS)


@pytest.mark.parametrize(
    "text",
    [
        "sha256: " + "0f" * 32,
        "md5: " + "0f" * 16,
        '{"key": "value", "store_key": "' + "0f" * 16 + '"}',
        "task-based-risk-of-malignancy-in-breast-screening",
        "sk-learn-is-a-name-with-hyphens-for-scikit",
        "half_" + LETTERS,
        "KGAT_ begins a token, hf_ too, and ghp_",
        "AKIAK is a village",
    ],
)
def test_other_texts_are_not_taken_for_keys(text):
    check_no_access_key(text, Path("README.md"))
