"""Scores and submissions computed a second time, from the files alone and by other means: pandas and scikit-learn.

Nothing here imports what computed them the first time (scoring, ensemble, submission): a fault there cannot hide here.
"""
