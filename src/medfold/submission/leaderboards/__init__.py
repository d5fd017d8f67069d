"""Leaderboards, one module per kind of upload; `entry` is their interface."""
