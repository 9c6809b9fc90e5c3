"""TheTool: files and texts go in over HTTP, results come out. See docs/ for how."""

import os

__version__ = "0.1.0"

# ONNX Runtime reports to its maker (and leaves a file in /tmp) unless it is told before it is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
