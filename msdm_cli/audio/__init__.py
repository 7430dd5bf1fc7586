"""Sound files, resampling, and chunks."""
