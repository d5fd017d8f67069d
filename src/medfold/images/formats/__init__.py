"""Image formats, one module each, and the reader that selects among them."""
