"""Files beside a submission from which `make recheck` computes it and its score again."""

from pathlib import Path

import pandas as pd

from medfold.competition import Competition, CompetitionFacts
from medfold.earlier_versions import PROBABILITY_PREFIX
from medfold.ensemble.ensemble import Ensemble
from medfold.paths import SubmissionPaths
from medfold.runs import has_many_columns, write_prediction_table
from medfold.system import files


def write_recheck_files(competition: Competition, ensemble: Ensemble, submission: Path) -> None:
    """Writes the fitted ensemble and its OOF predictions into the folder recheck/ of the submissions.

    The former is an .npz file, the latter a CSV file, or an .npz file if they have many columns.

    Args:
        competition: the competition of the submission.
        ensemble: the ensemble that the submission was made from.
        submission: path of the submission.
    """
    paths = SubmissionPaths(submission)
    ensemble.method_choice.used.fitted.save(paths.recheck_parameters)
    table = oof_table(competition.facts, ensemble)
    if has_many_columns(len(competition.facts.prediction_columns)):
        write_prediction_table(table, paths.recheck_wide_oof)
        return
    # With all digits, as rounding would change ties.
    files.write_text(table.to_csv(index=False, float_format="%.17g", lineterminator="\n"), paths.recheck_oof)


def oof_table(facts: CompetitionFacts, ensemble: Ensemble) -> pd.DataFrame:
    """Returns the scored OOF predictions and the probabilities that they were made from.

    Returns:
        A table with id (of the unit), fold, the prediction columns, and a column `probability of <column>` for
        each of them.
    """
    probability_columns = [f"{PROBABILITY_PREFIX}{column}" for column in facts.prediction_columns]
    parts = [
        pd.DataFrame({"id": ensemble.oof.unit_ids, "fold": ensemble.oof.folds}),
        pd.DataFrame(ensemble.oof.predictions, columns=facts.prediction_columns),
        pd.DataFrame(ensemble.oof_probabilities.predictions, columns=probability_columns),
    ]
    return pd.concat(parts, axis=1)
