"""Paths of a submission and of the files beside it."""

from dataclasses import dataclass
from pathlib import Path

from medfold.paths.run import existing_table


@dataclass(frozen=True)
class SubmissionPaths:
    """Paths of one submission and of the files beside it.

    Args:
        file: path of the submission, a CSV file.
    """

    file: Path

    @property
    def record(self) -> Path:
        """JSON record: score, inputs, hashes and result."""
        return self.file.with_suffix(".json")

    @property
    def recheck_parameters(self) -> Path:
        """Fitted parameters of the ensemble, for `make recheck`."""
        return self.file.parent / "recheck" / f"{self.file.stem}.npz"

    @property
    def recheck_oof(self) -> Path:
        """OOF predictions of the ensemble, for `make recheck`: a CSV file, or .npz if they have many columns."""
        return existing_table(self.recheck_parameters.with_suffix(".csv"), self.recheck_wide_oof)

    @property
    def recheck_wide_oof(self) -> Path:
        """OOF predictions of the ensemble with many columns."""
        return self.recheck_parameters.with_suffix(".oof.npz")
