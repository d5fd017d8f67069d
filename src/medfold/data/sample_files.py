"""Files of the sample table: written together, read back, and renewed when facts or raw files have changed."""

import pandas as pd
from pydantic import BaseModel

from medfold.competition import CompetitionFacts
from medfold.data.patient_units import patient_fields
from medfold.data.sample_submission import blank_submission
from medfold.earlier_versions import SAMPLES
from medfold.errors import UserError
from medfold.images import write_image_list_fingerprint
from medfold.paths import CompetitionPaths
from medfold.system import json_files
from medfold.system.hashes import fingerprint, sha256
from medfold.tables import read_csv, write_csv
from medfold.terminal.command_text import command
from medfold.terminal.console import warn

# Facts under `images` on which the sample table depends.
IMAGE_FACTS = {"root", "train", "test", "exclude", "channels", "dicom_headers", "max_unreadable"}
VERSION = 4  # increased when the same raw data gives a different table


def write_samples(
    facts: CompetitionFacts,
    paths: CompetitionPaths,
    table: pd.DataFrame,
    solution: pd.DataFrame | None,
    needs_holdout: bool,
) -> None:
    """Writes the sample table, solution and sample submission; the metadata last, since it marks them as complete.

    Args:
        facts: facts of the competition.
        paths: paths of the competition; `groups.csv` is written already.
        table: the sample table.
        solution: the solution; None if there is none, or if the source has written it.
        needs_holdout: True if `labels.holdout` is still to be moved to the test set.
    """
    paths.samples_metadata.unlink(missing_ok=True)
    written = [paths.samples, paths.groups, paths.image_list]
    private = bool(patient_fields(facts))
    if solution is not None:
        write_csv(solution, paths.solution, private)
        written.append(paths.solution)
    if not facts.submission.sample:
        units = table.loc[table["part"] == "test", "unit"].unique()
        write_csv(blank_submission(facts, units), paths.sample_submission, private)
        written.append(paths.sample_submission)
    write_csv(table, paths.samples, private)
    write_image_list_fingerprint(paths, table)
    metadata = {
        "inputs_fingerprint": samples_fingerprint(facts, paths),
        "needs_holdout": needs_holdout,
        "files": {path.relative_to(paths.data).as_posix(): sha256(path) for path in written},
    }
    if paths.solution.is_file() and solution is None:  # written by the source
        metadata["solution_hash"] = sha256(paths.solution)
    json_files.write(metadata, paths.samples_metadata, sealed=True)


def read_samples(facts: CompetitionFacts, paths: CompetitionPaths) -> pd.DataFrame:
    """Reads the sample table that `build_samples` wrote; units and classes as text."""
    return read_csv(paths.samples, unit=str, **dict.fromkeys(facts.labels.targets, str))


def samples_are_fresh(facts: CompetitionFacts, paths: CompetitionPaths) -> bool:
    """Returns True if there is a sample table, built from these facts and these raw files, and not changed since."""
    try:
        metadata = _read_metadata(paths)
    except UserError:  # damaged: the table is built again
        return False
    if metadata is None or not paths.samples.is_file():
        return False
    if metadata.inputs_fingerprint != samples_fingerprint(facts, paths):
        return False
    for name, digest in metadata.files.items():  # older versions recorded none
        if not (paths.data / name).is_file() or sha256(paths.data / name) != digest:
            warn("damaged", f"{name} is missing or has changed since it was written: made again")
            return False
    return True


def needs_holdout(paths: CompetitionPaths) -> bool:
    """Returns True until `set_aside_holdout` has made the test set of `labels.holdout`."""
    metadata = _read_metadata(paths)
    return metadata is not None and metadata.needs_holdout


def check_solution(paths: CompetitionPaths) -> None:
    """Checks that a solution which came with the data has not changed since the sample table was built.

    Raises:
        UserError: the solution has changed.
    """
    metadata = _read_metadata(paths)
    recorded = metadata and metadata.solution_hash  # earlier versions recorded none
    if recorded and sha256(paths.solution) != recorded:
        fix = f"Run: {command('download', COMPETITION=paths.name, FORCE=1)}"
        raise UserError("changed since the data was downloaded", paths.solution, fix)


def samples_fingerprint(facts: CompetitionFacts, paths: CompetitionPaths) -> str:
    """Returns a fingerprint of all that the sample table depends on: facts and raw files."""
    sections = dict.fromkeys(("task", "classes", "labels", "submission"), True)
    used_facts = facts.fingerprint_input({**sections, "images": IMAGE_FACTS})
    used_facts["unit"] = facts.score.unit
    if facts.labels.holdout:
        used_facts["folds"] = facts.folds.model_dump(include={"seed", "duplicates"})
    return fingerprint([VERSION, used_facts, sha256(paths.raw_manifest)])


class _SamplesJson(BaseModel):
    """The values of samples.json, by their types; earlier versions recorded other ones."""

    inputs_fingerprint: str = ""
    needs_holdout: bool = False
    files: dict[str, str] = {}
    solution_hash: str | None = None


def _read_metadata(paths: CompetitionPaths) -> _SamplesJson | None:
    return json_files.read(paths.samples_metadata, SAMPLES, schema=_SamplesJson)
