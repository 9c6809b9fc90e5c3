"""Restyling: the last preview of each unfinished job, and how long finished ones took.

A preview is worth nothing after a crash, so its table is unlogged.

Revision ID: 0014
Revises: 0013
Create Date: 2026-11-28
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

UPGRADE = """
create unlogged table restyle_previews (
    job_id uuid primary key,
    step integer not null,
    picture bytea not null,
    created_at timestamptz not null default now()
);
create table restyle_runs (
    job_id uuid primary key,
    quality text not null,
    variations integer not null,
    seconds double precision not null,
    gpu_seconds double precision not null,
    device text not null,
    finished_at timestamptz not null default now()
);
create index restyle_runs_recent on restyle_runs (quality, variations, finished_at desc);
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("drop table restyle_runs; drop table restyle_previews;")
