"""Checks that a run still fits its competition: its facts, folds, labels and images.

- `same_facts`, `same_data`: checks that a run fits the current facts, and the current folds, labels and images;
- `checked_dataset`: the dataset of runs, after these checks;
- `comparability`: whether the score of a run can be compared with those of others;
- `scored_facts`: the facts that a score was computed with.
"""
