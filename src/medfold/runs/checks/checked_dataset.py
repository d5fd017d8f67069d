"""The dataset of runs, after checks that they still fit the competition."""

from medfold.competition import Competition
from medfold.data import Dataset, make_dataset
from medfold.runs.checks.same_data import check_same_labels, labels_fingerprint
from medfold.runs.checks.same_facts import check_same_facts
from medfold.runs.run import Run


def dataset_of_runs(competition: Competition, run_names: list[str]) -> Dataset:
    """Returns the dataset that runs were trained on; checks that they fit the current facts and labels.

    What is missing of the dataset is made again, as `make_dataset` does. A changed fact is reported before that:
    before images are scanned again because of the change.

    Raises:
        UserError: no such run; errors of `check_same_facts` and `make_dataset`; or the labels have changed since
            the training.
    """
    runs = []
    for name in run_names:
        run = Run.open(competition, name)
        check_same_facts(competition, run)
        runs.append(run)
    dataset = make_dataset(competition)
    current_labels_fingerprint = labels_fingerprint(competition)
    for run in runs:
        check_same_labels(competition, run, current_labels_fingerprint)
    return dataset
