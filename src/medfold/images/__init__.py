"""Images: read in any format, brought to one size, kept as uint8 arrays."""
