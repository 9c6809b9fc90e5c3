"""Calls that this service makes to addresses that a stranger chose: checked, bounded, cut when they take too long."""
