"""The mathematics of sampling, on tensors: no file, no network, no backend."""
