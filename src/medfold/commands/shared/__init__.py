"""Parts of several commands: a dataset, its leaks or an ensemble as text; removal after a question; OUT=."""
