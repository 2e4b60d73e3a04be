"""Drawn sections."""
