"""Stain normalisation: methods, fits, references."""
