"""Scores of whole tables of predictions, and how sure one can be of them."""
