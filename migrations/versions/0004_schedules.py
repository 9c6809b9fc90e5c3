"""Schedules, and the figures that they gather.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-22
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UPGRADE = """
-- rule: what next_run_at was worked out by; job_id: what the last tick became; skipped: ticks whose job still ran.
alter table schedules
    add column rule text not null default '',
    add column job_id uuid,
    add column runs bigint not null default 0,
    add column skipped bigint not null default 0,
    add column error text;

-- What ended in a minute, and in an hour; durations counts by size (thetool/jobs/schedules/tally.py says which).
create table job_statistics (
    period text not null check (period in ('minute', 'hour')),
    begins timestamptz not null,
    kind text not null,
    completed integer not null default 0,
    failed integer not null default 0,
    cancelled integer not null default 0,
    retried integer not null default 0,
    lost integer not null default 0,
    seconds double precision not null default 0,
    durations integer[] not null,
    primary key (period, begins, kind)
) with (fillfactor = 70);

create index idempotency_keys_job on idempotency_keys (job_id) where job_id is not null;
"""

DOWNGRADE = """
drop index idempotency_keys_job;
drop table job_statistics;
alter table schedules
    drop column rule, drop column job_id, drop column runs, drop column skipped, drop column error;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
