"""Running ONNX models: a library, without Flask or a database."""
