"""Images: read in any format, prepared as a recipe says, kept as uint8 arrays."""

from medfold.images import preparation_steps as preparation_steps  # registers them
