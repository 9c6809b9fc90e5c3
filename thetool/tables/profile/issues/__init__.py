"""What is wrong with a table: how each defect is found, said, ordered, and mended."""
