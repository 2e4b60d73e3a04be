"""The gene panel, G and A, their training, the saved model and prediction."""
