"""Opening slides: formats, scale, pyramids."""
