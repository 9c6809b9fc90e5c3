"""What can be said about a text: sentiment, language, topics, statistics. No Flask, no database: a library of its own."""
