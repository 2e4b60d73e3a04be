"""Checks that stop a faulty section in its first minute, and a fold that leaks."""
