"""Scores: metrics, their intervals, and maps of predictions that are fitted on labels."""

from medfold.scoring import metrics as metrics  # registers them
