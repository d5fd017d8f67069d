"""Changes to the files of runs and submissions, which a recheck must find, and what it says."""

from medfold.system import json_files


def first_file(competition, pattern: str):
    """The file of the submission of a single run, which has the shortest name."""
    return sorted(competition.paths.submissions.glob(pattern), key=lambda path: len(path.name))[0]


def change_last_digit(path):
    """Changes the last digit of a table's last number."""
    text = path.read_text().rstrip("\n")
    path.write_text(f"{text[:-1]}{(int(text[-1]) + 5) % 10}\n")


def change_number(path, *key):
    """Adds 1e-6 to a number in a JSON file."""
    content = json_files.read(path)
    here = content
    for step in key[:-1]:
        here = here[step]
    here[key[-1]] += 1e-6
    json_files.write(content, path)


def edit_json(path, edit):
    content = json_files.read(path)
    edit(content)
    json_files.write(content, path)


# Changes to the files of a run, by name: the change, given the paths of the run, and the difference as a pattern.
RUN_CHANGES = {
    "oof.csv of a fold": (
        lambda run: change_last_digit(run.fold(1).oof),
        r"fold1/oof\.csv is not the file recorded in done\.json",
    ),
    "oof.csv of the run": (
        lambda run: change_last_digit(run.oof),
        r"oof\.csv differs from the oof\.csv of the folds",
    ),
    "no done.json of a fold": (lambda run: run.fold(1).trained_marker.unlink(), r"fold1/done\.json is missing"),
    "test.csv of a fold": (
        lambda run: change_last_digit(run.fold(2).test),
        r"fold2/test\.csv is not the file recorded in done\.json",
    ),
    "score": (lambda run: change_number(run.score, "value"), r"value is 0\.\d+, saved 0\.\d+"),
    "score of a fold": (
        lambda run: change_number(run.score, "per_fold", "1"),
        r"per_fold 1 is 0\.\d+, saved 0\.\d+",
    ),
    "interval": (lambda run: change_number(run.score, "low"), r"low is 0\.\d+, saved 0\.\d+"),
    "optimism": (
        lambda run: edit_json(run.score, lambda saved: saved.update(is_optimistic=True)),
        "is_optimistic is False, saved True",
    ),
    "a fold less": (
        lambda run: edit_json(run.score, lambda saved: saved["per_fold"].pop("1")),
        r"per_fold is of \['0', '1', '2'\], saved \['0', '2'\]",
    ),
    "no further metric": (
        lambda run: edit_json(run.score, lambda saved: saved["facts"]["score"].update(more_metrics=["accuracy"])),
        r"more_metrics is of \['accuracy'\], saved \[\]",
    ),
    "score without a metric": (
        lambda run: edit_json(run.score, lambda saved: saved.update(metric="none")),
        "metric is auc, saved none",
    ),
    "number of units": (
        lambda run: json_files.write({**json_files.read(run.score), "num_units": 3}, run.score),
        r"num_units is \d+, saved 3",
    ),
}
