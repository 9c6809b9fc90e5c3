"""`gunicorn wsgi:app` finds this file by its name; run at the start, and again at each reload (HUP)."""

from thetool.serve import gunicorn_options

globals().update(gunicorn_options())
