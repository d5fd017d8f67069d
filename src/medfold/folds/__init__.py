"""Folds: splitters, the kept table, and the audit for leaks."""
