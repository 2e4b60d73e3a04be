"""What the model has to beat."""
