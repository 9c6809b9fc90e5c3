"""The front door: what kind of content came in, which analyses it gets, one result."""
