"""TheTool: files and texts go in over HTTP, results come out. See docs/ for how."""

__version__ = "0.1.0"
