"""The formats of counts, one module each: how a format is recognised, and which files it has."""
