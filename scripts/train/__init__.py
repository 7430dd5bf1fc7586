"""Training of networks: the songs, the questions that are asked of a network, and their score."""
