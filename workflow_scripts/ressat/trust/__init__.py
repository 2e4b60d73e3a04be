"""How far a prediction can be trusted: novelty of tiles, and what is known of genes."""
