"""Where weights come from: package registries through their own clients, and files on the web."""
