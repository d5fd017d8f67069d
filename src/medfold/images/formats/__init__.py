"""Image formats, one module each; `registry` selects the format of a file, `decoding` reads the image."""
