"""Fuzzing of what is read: sound files, manifests, journals, checkpoints, archives."""
