"""The web app: server-rendered pages, one module each, that use the same HTTP routes as everybody else."""
