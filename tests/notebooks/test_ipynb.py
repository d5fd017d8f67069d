import nbformat

from medfold.notebooks import ipynb
from tests.helpers import competition


def text(**packages):
    return ipynb.submission(competition(title="Lungs"), ["baseline (5 folds)"], "AUC 0.9", "0123456789ab", packages)


def test_it_is_a_notebook_of_few_cells():
    content = nbformat.reads(text(), 4)
    nbformat.validate(content)
    assert len(content.cells) <= 6
    assert all(len(cell.source.splitlines()) <= 20 for cell in content.cells)
    assert content.cells[0].source.startswith("# Lungs\n")
    assert "| kit | 0123456789ab |" in content.cells[0].source
    assert "not for the diagnosis of patients" in content.cells[0].source
    assert all(not cell.outputs for cell in content.cells if cell.cell_type == "code")


def test_equal_arguments_give_equal_texts():
    assert text(pydicom="3.0.2") == text(pydicom="3.0.2")
    assert "pydicom==3.0.2" in text(pydicom="3.0.2")
    assert "pydicom" not in text()
