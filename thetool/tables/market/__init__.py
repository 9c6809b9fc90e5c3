"""Market prices: date, open, high, low, close, volume. Arithmetic, no advice. No Flask and no database: a library."""
