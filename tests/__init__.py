"""The tests mirror thetool/, a folder for each room."""
