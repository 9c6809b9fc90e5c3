"""What happens by itself: schedules, each tick once over all processes and machines, and the housekeeping they run."""
