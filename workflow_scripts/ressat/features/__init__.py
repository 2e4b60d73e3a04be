"""Streaming tiles through stain normalisation and F, and the cache of what comes out."""
