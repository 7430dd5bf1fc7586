"""Songs and results that lie elsewhere: at addresses that fsspec knows."""
