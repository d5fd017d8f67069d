"""Runs put together: methods, and the choice among them."""
