"""From raw files to a dataset: sources, label layouts, samples."""
