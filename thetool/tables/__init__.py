"""Tables: reading any file, profiling it, market prices. No Flask and no database here: a library."""
