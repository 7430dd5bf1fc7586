"""Jobs on a Ray cluster: requests travel there, and results lie where all machines see them."""
