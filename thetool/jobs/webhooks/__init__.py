"""Telling an address that a job is finished: signed, tried again for a day, never to a private address."""
