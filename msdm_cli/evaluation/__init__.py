"""How near separated songs are to their true stems: metrics, oracles, and tables of scores."""
