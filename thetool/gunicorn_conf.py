"""gunicorn's configuration file; run at the start, and again at each reload (HUP)."""

from thetool.serve import gunicorn_options

globals().update(gunicorn_options())
