"""The three tasks on whole songs: separate, impute, generate."""
