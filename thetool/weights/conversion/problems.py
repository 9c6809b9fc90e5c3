"""What goes wrong when weights are converted."""

from __future__ import annotations


class ConversionError(Exception):
    """The original is not what this converter was made for."""
