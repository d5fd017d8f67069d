"""Training of one fold, from its images to the files in its folder.

- `fold`: the fold, in the order of work; `frozen_features`: features for training
  the head alone; `kept_nets`: nets for the next fold; `trained_net`: the result; `fold_files`: writes it;
- `recipe_checks`, `self_check`: checks before and after the training; `tensorflow_errors`: its errors in one line.
"""
