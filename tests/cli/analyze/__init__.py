"""Tests of `thetool analyze`."""
