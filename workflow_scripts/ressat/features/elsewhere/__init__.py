"""Features of patches that other software made: one small reader per format, and what must agree."""
