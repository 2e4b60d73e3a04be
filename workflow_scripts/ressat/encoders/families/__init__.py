"""What builds the networks: a module for each family of them."""
