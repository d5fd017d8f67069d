"""The text of the submission notebook."""

import nbformat
import pytest

from medfold.notebooks import notebook_file
from tests.support.helpers import competition_facts


@pytest.fixture
def text(tmp_path):
    """Returns the text of a notebook that installs the given packages."""
    label = tmp_path / "kit.json"
    label.write_text('{"content_id": "0123456789ab"}')
    return lambda **packages: notebook_file.submission_notebook(
        competition_facts(title="Lungs"), ["baseline"], "AUC 0.9", label, packages
    )


def test_submission_notebook_is_valid_and_short(text):
    content = nbformat.reads(text(), 4)
    nbformat.validate(content)
    assert len(content.cells) <= 6
    assert all(len(cell.source.splitlines()) <= 20 for cell in content.cells)
    assert content.cells[0].source.startswith("# Lungs\n")
    assert "| bundle | 0123456789ab |" in content.cells[0].source
    assert "not for the diagnosis of patients" in content.cells[0].source
    assert all(not cell.outputs for cell in content.cells if cell.cell_type == "code")


def test_equal_arguments_give_equal_notebooks(text):
    assert text(pydicom="3.0.2") == text(pydicom="3.0.2")
    assert "pydicom==3.0.2" in text(pydicom="3.0.2")
    assert "pydicom" not in text()
