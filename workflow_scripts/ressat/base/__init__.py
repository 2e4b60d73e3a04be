"""What every other room may use: errors, whole files, tables, logs, processors."""
