"""A small competition with trained folds, packed for Kaggle once for all tests that look at it."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from medfold import stages
from medfold.paths import Paths
from medfold.stages import Project


@dataclass(frozen=True)
class Given:
    """A project whose folds are trained, and its kit."""

    project: Project
    kit: Path
    notebook: Path

    @property
    def submission(self) -> bytes:
        """What `make submit` makes of the folds at home."""
        (file,) = self.project.paths.submissions.glob("*.csv")
        return file.read_bytes()


@pytest.fixture(scope="session")
def given(all_trained, tmp_path_factory) -> Given:
    """The small phantom, submitted at home and packed."""
    root = tmp_path_factory.mktemp("packed") / "my project"
    shutil.copytree(all_trained, root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        project = Project.open("small", Paths(root))
        stages.submit(project, names=["baseline"])
        packed = stages.notebook(project, ["baseline"])
    return Given(project, packed.kit, packed.notebook)
