"""Models: specs, registry, files, loading, import and export."""
