"""No stain normalisation: every section keeps its own colours."""

# Nothing is fitted.
MEMBER = None
