"""Batches for the training loop. Importing its modules imports no Keras, so that worker processes start at once.

- `batches`: batches drawn from the store; `loader`: computes them in worker processes;
- `augmentation`, `augmentation_checks`, `mixup`: changes of their images;
- `class_balance`: targets as columns, and the balance of their classes.
"""
