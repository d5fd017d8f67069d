"""Run folders: what was trained, and whether it still fits the competition."""
