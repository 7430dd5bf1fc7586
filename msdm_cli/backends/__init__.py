"""What runs a network: PyTorch or ONNX Runtime, with the same contract."""
