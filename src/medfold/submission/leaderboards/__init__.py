"""Leaderboards, one module per kind of upload."""
