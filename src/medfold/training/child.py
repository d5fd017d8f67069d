"""Trains a fold in a process of its own, for `parallel`: `python -m medfold.training.child`.

It reads its request, a line of JSON, from standard input, and answers with lines of JSON on standard output:
`{"topic": ..., "text": ...}` for what it says, `{"problem": ...}` if it fails. It ends with the process that began it.
"""

import json
import os
import sys
from typing import Any

from medfold.competition import Project
from medfold.console import redirect_lines
from medfold.data import load_dataset
from medfold.errors import INTERRUPTED, UserError
from medfold.processes import end_with_parent
from medfold.training.run import TrainingRequest, train_run


def main() -> int:
    """Trains what standard input says, and returns the exit code."""
    told = json.loads(sys.stdin.readline())
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no message

    def send(**message: Any) -> None:
        print(json.dumps(message), file=messages, flush=True)

    end_with_parent()
    try:
        with redirect_lines(lambda topic, text: send(topic=topic, text=text)):
            request = TrainingRequest(**told["request"])
            project = Project.open(told["competition"])
            data = load_dataset(project, prepare=request.recipe_of(project).images)
            train_run(project, request, data)
    except UserError as error:
        send(problem=str(error))
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
