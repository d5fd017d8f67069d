"""Sources of raw data, one module per kind."""
