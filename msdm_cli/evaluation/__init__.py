"""Metrics and oracles of separation."""
