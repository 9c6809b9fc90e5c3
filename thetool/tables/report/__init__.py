"""A table's reading and profile as one self-contained HTML page."""
