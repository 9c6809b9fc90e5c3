"""Tests of thetool/cli."""
