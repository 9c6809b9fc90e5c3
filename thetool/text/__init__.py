"""What can be said about a text: sentiment, language, topics, statistics. No Flask and no database: a library."""
