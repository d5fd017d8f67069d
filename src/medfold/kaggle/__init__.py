"""Kaggle: session, competitions, data sets, notebooks, remote runs."""
