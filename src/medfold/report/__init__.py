"""The report: one HTML file about a run, with nothing outside of it."""
