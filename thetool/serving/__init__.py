"""Models that people upload: kept, validated, versioned, and asked for predictions."""
