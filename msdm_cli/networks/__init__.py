"""The networks, in PyTorch; ``architectures`` has the table."""
