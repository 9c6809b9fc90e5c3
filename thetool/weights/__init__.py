"""Model weights: a catalogue of where they come from, and a folder that holds the verified files."""
