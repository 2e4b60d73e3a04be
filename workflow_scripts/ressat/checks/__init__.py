"""What stops a section in its first minute, or a fold that leaks."""
