"""Opening of a competition by a command: what is refused before its work begins."""

import pytest

from medfold.cli.opening import open_competition
from tests.support.helpers import refused, replaced
from tests.support.small_project import SMALL, add_competition


@pytest.mark.parametrize("upload", ["csv", "notebook"])
def test_upload_to_kaggle_without_a_competition_there_is_refused_when_it_is_opened(project_folder, upload):
    facts = replaced(SMALL, ("upload: none", f"upload: {upload}"))
    add_competition(project_folder, "nowhere", facts)
    what = f"competition/nowhere/competition.yaml: 'upload': {upload} needs a Kaggle competition, and neither 'source'"
    with refused(f"^{what} nor 'url' names one. Set url: .*, or upload: none$"), open_competition("nowhere"):
        pass
    add_competition(project_folder, "named", f"{facts}\nurl: https://www.kaggle.com/competitions/named")
    with open_competition("named") as competition:
        assert competition.facts.upload == upload


def test_without_a_name_an_example_is_given(project_folder):
    with refused("COMPETITION: not given. Example: COMPETITION=phantom-chest"), open_competition(""):
        pass


def test_a_folder_that_the_command_writes_to_must_be_one(project_folder):
    (project_folder / "runs").mkdir(exist_ok=True)
    (project_folder / "runs" / "small").write_text("a file")
    with refused("runs/small: "), open_competition("small", writes=["runs"]):
        pass
