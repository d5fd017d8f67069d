"""The bundle of a submission, opened in a notebook."""

import json
import shutil

import pytest

from medfold.errors import UserError
from medfold.notebooks import SubmissionBundle


def test_incomplete_bundle_raises(packed_project, tmp_path):
    with pytest.raises(UserError, match=r"no kit\.json"):
        SubmissionBundle.open(tmp_path)
    shutil.copytree(packed_project.folder, tmp_path / "kit")
    weights = tmp_path / "kit" / "baseline-fold1.h5"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    with pytest.raises(UserError, match="missing or damaged: baseline-fold1"):
        SubmissionBundle.open(tmp_path / "kit")
    about = json.loads((packed_project.folder / "kit.json").read_text())
    shutil.copy(packed_project.folder / "baseline-fold1.h5", weights)
    (tmp_path / "kit" / "kit.json").write_text(json.dumps({**about, "packages": ["no-such-package"]}))
    with pytest.raises(UserError, match="packages are not installed: no-such-package"):
        SubmissionBundle.open(tmp_path / "kit")
