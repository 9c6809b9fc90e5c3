"""The queue: jobs in Postgres, run by whoever has a free slot. Works with no Flask, but for its records and routes."""
