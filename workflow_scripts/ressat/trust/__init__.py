"""Trust: what is known of a model's reliability, carried to where it predicts."""
