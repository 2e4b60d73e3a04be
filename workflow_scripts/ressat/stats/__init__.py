"""Statistics on plain arrays: scores, significance, autocorrelation, neighbours."""
