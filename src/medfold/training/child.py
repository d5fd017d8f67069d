"""Training of one fold in a child process, for `parallel`: `python -m medfold.training.child`.

The request is one line of JSON on standard input. The output is lines of JSON on standard output:
`{"topic": ..., "text": ...}` for messages, `{"problem": ...}` if the training fails. The child ends with its parent.

The child calls `train_run` as its parent does, but for one fold and one job, so it trains the fold in this process.
"""

import json
import os
import sys
from typing import Any

from medfold.competition import Competition, setting_errors_located
from medfold.data import make_dataset
from medfold.errors import INTERRUPTED, UserError, os_errors_explained
from medfold.system.processes import end_with_parent
from medfold.system.signals import begin_exit, stop_on_signals
from medfold.terminal.console import redirect_lines
from medfold.training.request import TrainingRequest
from medfold.training.run import train_run


def main() -> int:
    """Trains the fold that standard input requests, and returns the exit code."""
    payload = json.loads(sys.stdin.readline())
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # output of libraries must not mix with the messages

    def send(**message: Any) -> None:
        print(json.dumps(message), file=messages, flush=True)

    end_with_parent()
    stop_on_signals()
    try:
        with os_errors_explained(), redirect_lines(lambda topic, text: send(topic=topic, text=text)):
            request = TrainingRequest(**payload["request"])
            competition = Competition.open(payload["competition"])
            with setting_errors_located(competition.paths, request.recipe, request.overrides):
                recipe = request.load_recipe(competition)
                dataset = make_dataset(competition, preparation=recipe.preparation)
                train_run(competition, request, recipe, dataset)
    except UserError as error:
        send(problem=str(error))
        return 2
    except KeyboardInterrupt:
        begin_exit()
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
