"""The library behind the workflow's scripts, in rooms: see docs/architecture.md."""
