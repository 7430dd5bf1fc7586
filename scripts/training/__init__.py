"""Training of the embedded model: the data, the questions that are asked of it, and their score."""
