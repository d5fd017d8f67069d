"""The commands: one module for each make target, with the order of its work and what it says."""
