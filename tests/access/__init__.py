"""Tests of thetool/access."""
