"""Code that only the parsing of the rules needs."""
