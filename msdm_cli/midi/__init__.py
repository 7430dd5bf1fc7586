"""Notes of a sound, and files of notes."""
