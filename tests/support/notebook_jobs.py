"""A notebook job on Kaggle for tests: a data set of two files, and a notebook."""

import json

from medfold.kaggle import KaggleSession, run_notebook_job

NAME = "medfold-histology-baseline"
REF = f"alice/{NAME}"
DATASET = f"{REF}-kit"


def labelled(sent, mark="first", package="1.0"):
    """Writes another manifest, and a notebook with its mark; returns the same run."""
    others = {path.name: "" for path in sent.folder.iterdir() if path != sent.manifest}
    sent.manifest.write_text(json.dumps({"content_id": mark, "package": package, "files": others}))
    cell = {"cell_type": "markdown", "metadata": {}, "source": ["bundle ", mark]}
    sent.notebook.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return sent


def run(sent, **more):
    """Runs it on the Kaggle of the environment, and waits until it has ended."""
    return run_notebook_job(KaggleSession.connect(), sent, 3600, sent.notebook.with_name("log.txt"), **more)
