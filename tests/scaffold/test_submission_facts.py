"""The sample submission of a draft."""

from tests.support.drafts import facts_and_doubts, pictures, table


def test_sample_submission_names_test_images_or_is_reported(tmp_path):
    pictures(tmp_path, "train/benign/a{n}.png", "train/normal/b{n}.png", "test/c{n}.png", "other/d{n}.png")
    table(tmp_path, "sample_submission.csv", "image,label", *(f"c{n:03},0.5" for n in range(12)))
    facts, said = facts_and_doubts(tmp_path)
    assert (facts["submission"], facts["upload"]) == ({"sample": "sample_submission.csv", "id": "image"}, "csv")
    assert "images.train: 12 of 48 images are not used: other/*.png" in said
    table(tmp_path, "sample_submission.csv", "image,label", *(f"x{n:03},0.5" for n in range(12)))
    facts, said = facts_and_doubts(tmp_path)
    assert "submission" not in facts
    assert "submission.sample: ids of sample_submission.csv are not names of test images" in said
