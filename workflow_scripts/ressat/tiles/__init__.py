"""Where tiles are, and their pixels."""
