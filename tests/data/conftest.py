"""A competition with a hold-out, and copies of images."""

import shutil

import pytest

from medfold.commands.download import download
from medfold.competition import Competition
from tests.support.helpers import picture
from tests.support.holdouts import FACTS
from tests.support.small_project import add_competition


@pytest.fixture
def holdout_project(project_folder, tmp_path):
    """40 images, each under two names, and one that cannot be read."""
    given = tmp_path / "given"
    for number in range(40):
        first = given / ("yes" if number % 4 == 0 else "no") / f"{number:02}.png"
        picture(first, seed=number)
        shutil.copy(first, first.with_name(f"copy{number:02}.png"))
    (given / "no" / "broken.png").write_bytes(b"no picture")
    add_competition(project_folder, "cut", FACTS.replace("channels: 1", "channels: 1, max_unreadable: 0.05"))
    competition = Competition.open("cut")
    download(competition, path=given)
    return competition
