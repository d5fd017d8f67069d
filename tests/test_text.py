"""Texts in messages: counts, shortened lists, and the hint after a misspelt word."""

import pytest

from medfold.text import count_of, did_you_mean, folds_as_text, printable, shorten_list, shorten_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2J", "a\\x1b[2J"),
        ("a\nb\r", "a\\nb\\r"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202egnp.exe", "a\\u202egnp.exe"),
        ("\udcff.png", "\\udcff.png"),
        ("a\u2028b\0", "a\\u2028b\\x00"),
    ],
)
def test_characters_that_a_terminal_obeys_are_shown_by_their_codes(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize("text", ["", "a b", "Müller", "صورة", "图像", "می\u200cخواهم", "🫁", "100 % [x]"])
def test_texts_of_any_language_stay(text):
    assert printable(text) == text


def test_shorten_text_cuts_what_is_too_long():
    assert shorten_text("abcdef", max_length=6) == "abcdef"
    assert shorten_text("abcdefg", max_length=6) == "abc..."


def test_shorten_list_counts_the_omitted_items():
    assert shorten_list(range(5)) == "0, 1, 2 and 2 more"
    assert shorten_list(["a", "b"]) == "a, b"
    assert shorten_list("abc", 2, separator="; ") == "a; b and 1 more"


def test_count_agrees_with_its_noun():
    assert [count_of(number, "image") for number in (0, 1, 12_000)] == ["0 images", "1 image", "12,000 images"]
    assert [count_of(number, "copy", "copies") for number in (1, 2)] == ["1 copy", "2 copies"]


def test_did_you_mean_suggests_a_close_word_only():
    assert did_you_mean("retina", ["retinamnist", "breastmnist"]) == " (did you mean 'retinamnist'?)"
    assert did_you_mean("xyz", ["retinamnist"]) == ""
    assert did_you_mean("strong", ["none", "light", "xray", "fundus", "histology"]) == ""


@pytest.mark.parametrize(
    ("word", "suggested"),
    [("image_id", "id"), ("Image ID", "id"), ("patient", "patient_id"), ("my_age_2", "age"), ("agee", "age")],
)
def test_did_you_mean_prefers_a_whole_word_to_similar_letters(word, suggested):
    assert did_you_mean(word, ["age", "id", "sex", "patient_id"]) == f" (did you mean '{suggested}'?)"


def test_did_you_mean_prefers_nearly_the_same_word_to_a_part_of_it():
    known = ["log_loss", "weighted_log_loss"]
    assert did_you_mean("wighted_log_loss", known) == " (did you mean 'weighted_log_loss'?)"


@pytest.mark.parametrize(
    ("word", "suggested"),
    [
        ("acc", "accuracy"),
        ("resnet50", "ResNet50"),
        ("Efficientnet_B0", "EfficientNetB0"),
        ("efficientnet", "EfficientNetB0"),
        ("resnet8", "resnet9"),
        ("auk", "auc"),
    ],
)
def test_did_you_mean_prefers_other_capitals_then_longer_words(word, suggested):
    known = ["auc", "mean_auc", "balanced_accuracy", "accuracy", "resnet9", "ResNet50", "ResNet50V2", "EfficientNetB0"]
    assert did_you_mean(word, known) == f" (did you mean '{suggested}'?)"


@pytest.mark.parametrize(
    ("numbers", "text"), [([1], "fold 1"), ([0, 2], "folds 0, 2"), ([0, 1, 2, 3], "folds 0, 1, 2 and 1 more")]
)
def test_folds_are_in_the_singular_or_plural(numbers, text):
    assert folds_as_text(numbers, max_shown=3) == text
