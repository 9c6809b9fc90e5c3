"""What values mean: e-mail addresses, countries, keys; found by the values, where the name only helps to choose."""
