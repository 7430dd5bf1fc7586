"""Development tools: not part of the package that is installed."""
