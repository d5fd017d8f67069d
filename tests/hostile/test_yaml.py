"""YAML of others ends in one line that names the file, and a bad competition folder breaks no other."""

import os
from pathlib import Path

import pytest

from tests.layouts.clinic import FACTS, medfold
from tests.support.helpers import replaced
from tests.support.yaml_bombs import LAUGHS, MERGED_LAUGHS

pytestmark = pytest.mark.slow

FACTS_FILE, RECIPE = Path("competition/clinic/competition.yaml"), Path("competition/clinic/baseline.yaml")
BAD = {
    "aliases of aliases": LAUGHS,
    "merge keys of merge keys": MERGED_LAUGHS,
    "an alias of itself": "a: &a [*a]",
    "deep brackets": "a: " + "[" * 20_000,
    "deep lists": "- " * 2000 + "x",
    "larger than the limit": "a: " + "x" * 1_100_000,
    "not UTF-8": b"title: gr\xfcn",
    "UTF-16": "title: x".encode("utf-16"),
    "binary": bytes(range(256)) * 10,
    "a zero byte": "title: a\0b",
    "a tab": "labels:\n\tid: id",
    "a long number": "title: x\nfolds: {k: " + "9" * 5000 + "}",
    "a long hexadecimal number": "title: x\nfolds: {k: 0x" + "f" * 5000 + "}",
    "an impossible date": "title: 2020-13-45",
    "a date": "title: 2020-01-01",
    "a key twice": "title: x\ntitle: y",
    "a list": "- title: x",
    "a word": "title",
    "a number": "3",
    "two documents": "title: x\n---\ntitle: y",
    "a Python object": "title: !!python/object/apply:os.system [touch pwned]",
    "a wrong tag": "title: !!map x",
    "keys of all kinds": "{1: 2, null: 3, true: 4, 2020-01-01: 5, 1.5: 6}",
    "a list as a key": "{[a, b]: 1}",
    "extends a mapping": "extends: {a: b}",
    "extends a list of lists": "extends: [[a]]",
    "extends itself": "extends: competition",
    "sections of wrong types": "title: 3\nsource: []\nupload: {}\ntask: 1\nlabels: x\nimages: [1]\nscore: 2\nfolds: x",
    "a source without a kind": replaced(FACTS, ("{kind: own}", "{}")),
    "a source of an odd kind": replaced(FACTS, ("{kind: own}", "{kind: [own]}")),
    "a source with a mapping as kind": replaced(FACTS, ("{kind: own}", "{kind: {own: 1}}")),
    "variants as a list": FACTS + "variants: [a, b]\n",
    "variants as a word": FACTS + "variants: a\n",
    "variants without facts": FACTS + "variants: {clinic: }\n",
    "variants with a number": FACTS + "variants: {clinic: 3}\n",
    "variants of numbers": FACTS + "variants: {1: {title: x}}\n",
    "variants twice": FACTS + "variants: {clinic: {variants: {clinic: {}}}}\n",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_competition_yaml_is_refused_and_the_others_still_work(text, clinic, refusal):
    root = clinic("bare")
    folder = Path("competition/bad")
    folder.mkdir()
    content = text if isinstance(text, bytes) else text.encode()
    (folder / "competition.yaml").write_bytes(content)
    assert "bad" in refusal("folds", "-c", "bad")
    for command in (["data"], ["scores"], ["runs", "-c", "clinic"], ["folds", "-c", "https://kaggle.com/c/other"]):
        ended = medfold(*command)
        assert "competition/bad" not in ended.errors, ended.errors
        assert ended.code in (0, 2), ended.errors
    assert not list(root.rglob("pwned"))
    assert medfold("download", "-c", "clinic", "--from", "given").code == 0


@pytest.mark.parametrize("text", [text for text in BAD.values() if text != "title: 2020-01-01"])
def test_recipe_is_refused(text, clinic, refusal):
    clinic("downloaded")
    RECIPE.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert "baseline.yaml" in refusal("prepare", "-c", "clinic")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name")
@pytest.mark.parametrize("kind", ["pipe", "folder", "dangling link", "link to a device", "unreadable"])
def test_other_than_a_file_is_refused_and_the_others_still_work(kind, clinic, refusal):
    clinic("bare")
    path = Path("competition/bad/competition.yaml")
    path.parent.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "unreadable":
        path.write_text(FACTS)
        path.chmod(0)
    else:
        path.symlink_to("/nowhere" if kind == "dangling link" else "/dev/zero")
    if kind != "unreadable" or os.geteuid():
        refusal("folds", "-c", "bad")
    assert medfold("data").code == 0
    assert medfold("download", "-c", "clinic", "--from", "given").code == 0


@pytest.mark.parametrize(
    "text",
    [
        "training.epochs=" + "9" * 5000,
        "training.epochs=0x" + "f" * 5000,
        "augment=" + "[" * 5000,
        "augment=&a",
        "augment=*a",
        "tta=2020-13-45",
        ".".join("a" * 3000) + "=1",
        "=1",
        "a..b=1",
        '{"a": ' * 5000,
        '{"training": {"epochs": ' + "9" * 5000 + "}}",
        '{"training": []}',
        "training=3",
        "training=[]",
        "tta=!!python/name:os.system",
        "preparation.steps=[{a:{b:[1]}}]",
        "backbone.name=\0",
    ],
)
def test_set_is_refused(text, clinic, refusal):
    clinic("downloaded")
    refusal("prepare", "-c", "clinic", "--set", text)
    refusal("report", "-c", "clinic", "--set", text)
