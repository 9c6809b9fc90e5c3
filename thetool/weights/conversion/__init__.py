"""Weights of other frameworks written as ONNX, the same bytes each time, without those frameworks."""
