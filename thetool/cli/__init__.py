"""The command `thetool`: start the service, and use it from a terminal."""
