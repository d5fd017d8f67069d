"""Predictions of trained nets, and where in an image they look."""
