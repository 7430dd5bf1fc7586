"""The command line: commands, options, and the only place that prints."""
