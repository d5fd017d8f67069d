"""Training of one fold, from its images to the files in its folder.

- `train_fold`: the fold, in the order of work; `trained_net`: the result; `fold_files`: writes it;
- `frozen_features`: features of a frozen backbone, for its head; `kept_nets`: nets for the next fold;
- `recipe_checks`, `self_check`: checks before and after the training; `tensorflow_errors`: its errors in one line.
"""
