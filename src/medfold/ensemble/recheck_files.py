"""Files beside a submission from which `make recheck` computes it and its score again."""

from pathlib import Path

import pandas as pd

from medfold.competition import Competition, CompetitionFacts
from medfold.earlier_versions import PROBABILITY_PREFIX
from medfold.ensemble.ensemble import Ensemble
from medfold.paths import SubmissionPaths
from medfold.system import files


def write_recheck_files(competition: Competition, ensemble: Ensemble, submission: Path) -> None:
    """Writes the fitted ensemble (.npz) and its OOF predictions (.csv) into the folder recheck/ of the submissions.

    Args:
        competition: the competition of the submission.
        ensemble: the ensemble that the submission was made from.
        submission: path of the submission.
    """
    paths = SubmissionPaths(submission)
    ensemble.method_choice.fitted.save(paths.recheck_parameters)
    # With all digits, as rounding would change ties.
    text = oof_table(competition.facts, ensemble).to_csv(index=False, float_format="%.17g", lineterminator="\n")
    files.write_text(text, paths.recheck_oof)


def oof_table(facts: CompetitionFacts, ensemble: Ensemble) -> pd.DataFrame:
    """Returns the scored OOF predictions and the probabilities that they were made from.

    Returns:
        A table with id (of the unit), fold, the prediction columns, and a column `probability of <column>` for
        each of them.
    """
    table = pd.DataFrame({"id": ensemble.oof.unit_ids, "fold": ensemble.oof.fold})
    probability_columns = [f"{PROBABILITY_PREFIX}{column}" for column in facts.prediction_columns]
    table[facts.prediction_columns] = ensemble.oof.predictions
    table[probability_columns] = ensemble.probabilities.predictions
    return table
