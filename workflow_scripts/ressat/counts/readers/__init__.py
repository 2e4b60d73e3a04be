"""The readers of counts: a module for each format, with the same name."""
