"""Reading counts: a file for each format, and what all formats share."""
