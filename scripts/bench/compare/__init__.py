"""Compare an older commit with the working tree: samples, speed and memory."""
