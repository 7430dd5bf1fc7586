"""What runs a network: PyTorch or ONNX Runtime."""
