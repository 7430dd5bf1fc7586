"""Durable jobs: files, journals, manifests."""
