"""Pages beside results: a player, pictures of every stem, and how they were made."""
