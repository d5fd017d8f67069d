"""The training loop, and what it is made of.

- `phases`: the head alone, or all layers; `training_loop`: the epochs of a phase; `batch_trainer`: the net, trained
  batch by batch; `batch_statistics`: batch normalisation;
- `losses`, `optimizer`, `callbacks`: what a recipe names;
- `training_state`: what is saved during a training, and how it is resumed; `checkpoint`: the file with it;
  `earlier_checkpoints`: files of earlier versions.
"""
