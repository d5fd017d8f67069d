"""What strangers give the kit: their layouts of data, and their mistakes."""
