"""Jobs that belong together: equal ones, batches, parents with their children, those that failed alike."""
