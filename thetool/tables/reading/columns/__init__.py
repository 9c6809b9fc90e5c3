"""Types of columns: decided over the whole column, from its text."""
