"""Image formats, one module each, and reading an image of any."""
