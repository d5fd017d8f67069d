"""A draft of competition.yaml from unknown files."""
