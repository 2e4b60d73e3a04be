"""F: the frozen networks that read tiles, and the registry of them."""
