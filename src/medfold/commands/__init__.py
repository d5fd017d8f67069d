"""The commands: one module for each make target, with its steps and messages."""
