"""How far a prediction can be trusted: how new its tiles are to the model."""
