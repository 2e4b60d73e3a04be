"""The methods of stain normalisation, a module each."""
