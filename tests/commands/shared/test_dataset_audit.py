"""The audit of a dataset needs what the search for near-duplicates has measured."""

from medfold.commands.shared.dataset_audit import audit_and_show
from medfold.data import make_dataset
from tests.support.helpers import refused


def test_audit_without_the_appearance_of_the_images_names_the_command_that_measures_it(folded, capsys):
    dataset = make_dataset(folded)
    audit_and_show(folded, dataset)
    assert "3 folds" in capsys.readouterr().out
    folded.paths.appearance.unlink()
    with refused("appearance.csv: missing, or made from other images: the audit needs it. Run: make folds"):
        audit_and_show(folded, dataset)
