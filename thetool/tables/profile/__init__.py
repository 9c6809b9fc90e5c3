"""What is in a table: its columns, their values, and what a person should look at first."""
