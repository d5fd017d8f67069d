"""The tests; a package, so that another one called tests cannot stand in front of it."""
