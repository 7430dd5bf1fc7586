"""Composition and rendering of four-stem songs: the training set of the embedded model."""
