"""The facts that a run was trained with, and checks that the current ones mean the same."""

from typing import Any

from pydantic import ValidationError

from medfold import config
from medfold.competition import Competition, CompetitionFacts
from medfold.config_errors import describe_errors
from medfold.errors import UserError
from medfold.runs.run import Run
from medfold.terminal.command_text import variable
from medfold.text import shorten_list

# The facts that define the input of a net, the meaning of its outputs, and of a row of its predictions.
IDENTITY_FACTS = (
    "task",
    "classes",
    "labels.targets",
    "images.channels",
    "images.windows",
    "images.range",
    "images.frame",
    "images.symmetry",
    "score.unit",
    "score.aggregate",
    "folds.k",
)


def facts_of_run(competition: Competition, run: Run) -> CompetitionFacts:
    """Returns the facts that a run was trained with; keys that are newer than the run have the current values.

    Raises:
        UserError: the facts are no longer valid.
    """
    try:
        return CompetitionFacts.model_validate(config.merge(competition.facts.model_dump(), run.metadata.facts))
    except ValidationError as error:
        reason = next(iter(describe_errors(error).values()))
        what = f"run '{run.name}' was trained with facts that are no longer valid: {reason}"
        fix = f"Train a new run under another name: {variable('RUN', 'new-name')}"
        raise UserError(what, run.paths.metadata, fix) from None


def shared_facts(competition: Competition, runs: list[Run]) -> CompetitionFacts:
    """Returns the facts of the first run, after checking that the identity facts of all runs are equal.

    Raises:
        UserError: the identity facts of two runs differ, or facts are no longer valid.
    """
    (first, facts), *others = ((run.name, facts_of_run(competition, run)) for run in runs)
    values = config.flat(facts.model_dump())
    for name, other_facts in others:
        other_values = config.flat(other_facts.model_dump())
        if different := [key for key in IDENTITY_FACTS if values.get(key) != other_values.get(key)]:
            key = different[0]
            pairs = f"{first} with {_describe(values.get(key))}, {name} with {_describe(other_values.get(key))}"
            raise UserError(
                f"the runs were trained with different '{key}': {pairs}",
                variable("RUNS"),
                "Name runs with the same value",
            )
    return facts


def check_same_facts(competition: Competition, run: Run, keys: tuple[str, ...] = IDENTITY_FACTS) -> None:
    """Checks that a run fits the current facts.

    Args:
        competition: the competition with the current facts.
        run: a run; its run.json holds the facts of the training.
        keys: keys of the facts that must be equal. Defaults to all that define the meaning of its predictions.

    Raises:
        UserError: a fact has changed since the run was trained; the key is named.
    """
    if changed := find_changed_fact(competition, run, keys):
        key, before, now = changed
        what = f"run '{run.name}' was trained with '{key}': {_describe(before)}, now it is {_describe(now)}"
        fix = f"Change it back, or train a new run under another name: {variable('RUN', 'new-name')}"
        raise UserError(what, competition.paths.facts_file, fix)


def find_changed_fact(
    competition: Competition, run: Run, keys: tuple[str, ...] = IDENTITY_FACTS
) -> tuple[str, Any, Any] | None:
    """Returns the first fact that has changed since a run was trained, (key, value then, value now); else None."""
    before, now = (_facts_by_key(facts) for facts in (facts_of_run(competition, run), competition.facts))
    return next(((key, before.get(key), now.get(key)) for key in keys if before.get(key) != now.get(key)), None)


def _facts_by_key(facts: CompetitionFacts) -> dict[str, Any]:
    """Returns the facts by flat key, with default class names where competition.yaml has none."""
    return {**config.flat(facts.model_dump()), "classes": facts.class_names}


def _describe(value: Any) -> str:
    """Returns a value as text for a message."""
    if isinstance(value, (list, tuple)):
        return f"[{shorten_list([str(item) for item in value], 12)}]"
    return "not set" if value is None else str(value)
