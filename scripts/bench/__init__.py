"""Measurements that write their own documents. Run each as ``python -m scripts.bench.NAME``."""
