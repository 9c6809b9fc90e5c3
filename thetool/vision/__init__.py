"""What can be seen in a photo: labels, objects, text, colours, quality, facts. No Flask and no database: a library."""
