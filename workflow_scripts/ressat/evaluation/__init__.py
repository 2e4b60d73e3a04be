"""Scores, summaries, noise ceilings, usable genes, spot interaction."""
