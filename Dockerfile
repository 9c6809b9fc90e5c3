# The light image: everything but torch. Built on Railway; see docs/deploy.md.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /app

COPY requirements-prod.txt ./
RUN pip install -r requirements-prod.txt

COPY pyproject.toml setup.py alembic.ini wsgi.py gunicorn.conf.py db_migrations.py LICENSE NOTICE ./
COPY migrations ./migrations
COPY thetool ./thetool
RUN pip install --no-deps --editable .

# The default models are part of the image, so that a new copy answers at once and never calls out for them. What pulling
# needs besides (npm, for one) comes and goes in this one step.
ENV WEIGHTS_DIR=/app/weights
RUN thetool weights pull

RUN useradd --system --uid 10001 --home-dir /data --create-home thetool
USER thetool

ENV ENVIRONMENT=production \
    THETOOL_HOME=/data \
    HOST=0.0.0.0 \
    PORT=8000
EXPOSE 8000

# Gunicorn is process 1: it takes SIGTERM itself and reaps what its workers leave.
CMD ["gunicorn", "wsgi:app"]
