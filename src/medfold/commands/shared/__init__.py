"""Functions that several commands share.

- `dataset_audit`: the audit of a dataset;
- `show_dataset`, `show_leaks`, `show_ensemble`, `show_result`: a dataset, its leaks, an ensemble, the answer of a
  leaderboard as text;
- `removal`: what `data` and `runs` remove, after confirmation;
- `output_file`: the file of OUT=.
"""
