"""Where submissions are scored, one module per kind of upload."""
