"""How long runs were trained, from timing.json of their folds."""

from typing import Annotated

from pydantic import BaseModel, Field

from medfold.paths import RunPaths
from medfold.system import json_files


class _Timing(BaseModel):
    """The values of timing.json that are used."""

    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]


def training_seconds(all_run_paths: list[RunPaths], num_folds: int) -> float | None:
    """Returns the total training time of some runs, in seconds; None if none was recorded."""
    folds = [run_paths.fold(number) for run_paths in all_run_paths for number in range(num_folds)]
    timings = [timing for fold in folds if (timing := json_files.read(fold.timing, schema=_Timing))]
    return sum(timing.seconds for timing in timings) if timings else None
