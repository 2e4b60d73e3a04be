"""Simulated sections: drawn tissue and its counts."""
