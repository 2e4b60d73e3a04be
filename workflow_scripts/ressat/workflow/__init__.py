"""What parsing the rules needs, and nothing else needs."""
