"""A draft of competition.yaml: guessed facts, the reason for each, and doubts to check."""

import pytest

from medfold.scaffold.draft import Doubt, Draft


@pytest.mark.parametrize(
    ("names", "expected", "known"),
    [
        (["Malignant", "Normal"], ["Normal", "Malignant"], True),
        (["COVID", "healthy"], ["healthy", "COVID"], True),
        (["glioma", "no_tumor"], ["no_tumor", "glioma"], True),
        (["cancer", "non-cancer"], ["non-cancer", "cancer"], True),
        (["Parasitized", "Uninfected"], ["Uninfected", "Parasitized"], True),
        (["benign", "malignant"], ["benign", "malignant"], True),
        (["no", "yes"], ["no", "yes"], True),
        (["patient", "Control"], ["Control", "patient"], True),
        (["left", "right"], ["left", "right"], False),
        (["benign", "normal"], ["benign", "normal"], False),
    ],
)
def test_word_for_healthy_sets_the_negative_class(names, expected, known):
    found = Draft()
    found.set_two_classes(names)
    assert found.facts["classes"] == expected
    if known:
        ((key, _, why),) = found.reasons
        assert (key, found.doubts) == ("classes", [])
        assert f"'{expected[1]}' is positive" in why
    else:
        (doubt,) = found.doubts
        assert str(doubt) == f"classes: unclear which class is positive; '{expected[1]}' is used, the second one"


def test_reasons_and_doubts_of_a_key_are_dropped():
    draft = Draft(
        doubts=[Doubt("task", "ordinal or not"), Doubt("labels.id", "two columns"), Doubt("", "a/ is a copy")]
    )
    for key in ("labels", "labels.id", "labels.id", "task"):
        draft.add_reason(key, "x", "why")
    draft.drop_reasons("labels.id")
    draft.drop_doubts("labels")
    assert [key for key, _, _ in draft.reasons] == ["labels", "task"]
    assert len(draft.doubts) == 3
    draft.drop_doubts("labels.id")
    assert list(map(str, draft.doubts)) == ["task: ordinal or not", "a/ is a copy"]
