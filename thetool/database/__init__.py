"""Postgres: the ORM session, plain connections, the embedded server, LISTEN."""
