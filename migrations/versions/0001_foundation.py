"""Owners, keys, jobs and their workers, analyses, files, limits.

Revision ID: 0001
Revises:
Create Date: 2026-11-21
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MASTER_OWNER = "00000000-0000-7000-8000-000000000001"

UPGRADE = f"""
create table owners (
    id uuid primary key,
    name text not null unique,
    created_at timestamptz not null default now()
);
insert into owners (id, name) values ('{MASTER_OWNER}', 'master');

create table api_keys (
    id uuid primary key,
    owner_id uuid not null references owners on delete cascade,
    name text not null,
    key_hash bytea not null unique,
    key_prefix text not null,
    scopes text[] not null,
    rate_limit_per_minute integer,
    job_quota integer,
    storage_quota_bytes bigint,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz
);
create index api_keys_owner on api_keys (owner_id);

create table jobs (
    id uuid primary key,
    kind text not null,
    queue text not null,
    runs text not null default 'thread' check (runs in ('thread', 'process')),
    status text not null default 'queued'
        check (status in ('queued', 'running', 'completed', 'failed', 'cancelled')),
    stage text,
    message text,
    progress real not null default 0 check (progress between 0 and 1),
    priority integer not null default 0,
    -- json, not jsonb: nothing searches in them, and people read them in the order in which they were written
    params json not null,
    result json,
    error jsonb,
    attempts integer not null default 0,
    max_attempts integer not null default 1,
    lost integer not null default 0,
    run_at timestamptz not null default now(),
    timeout_s real not null,
    claim_token uuid,
    worker_id uuid,
    lease_expires_at timestamptz,
    cancel_requested_at timestamptz,
    dedupe_key text,
    idempotency_key text,
    concurrency_key text,
    rate_key text,
    batch_id uuid,
    parent_id uuid,
    children_left integer not null default 0,
    correlation_id text,
    owner_id uuid not null references owners on delete cascade,
    webhook_url text,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    expires_at timestamptz
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
create index jobs_ready on jobs (queue, runs, priority desc, run_at, id) where status = 'queued';
create index jobs_lease on jobs (lease_expires_at) where status = 'running';
create index jobs_owner on jobs (owner_id, id desc);
create index jobs_expiry on jobs (expires_at) where expires_at is not null;
create index jobs_batch on jobs (batch_id) where batch_id is not null;
create index jobs_parent on jobs (parent_id) where parent_id is not null;
create index jobs_concurrency on jobs (concurrency_key) where concurrency_key is not null and status = 'running';
create unique index jobs_dedupe on jobs (dedupe_key) where dedupe_key is not null and status in ('queued', 'running');

create table job_events (
    id bigint generated always as identity primary key,
    job_id uuid not null references jobs on delete cascade,
    stage text,
    message text,
    progress real not null,
    created_at timestamptz not null default now()
);
create index job_events_job on job_events (job_id, id);

create table workers (
    id uuid primary key,
    host text not null,
    pid integer not null,
    version text not null,
    kinds text[] not null,
    devices text[] not null default '{{}}',
    slots integer not null,
    running integer not null default 0,
    draining boolean not null default false,
    started_at timestamptz not null default now(),
    heartbeat_at timestamptz not null default now()
);

create table schedules (
    name text primary key,
    next_run_at timestamptz not null,
    last_run_at timestamptz
);

create table idempotency_keys (
    owner_id uuid not null references owners on delete cascade,
    key text not null,
    request_hash bytea not null,
    job_id uuid,
    analysis_id uuid,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    primary key (owner_id, key)
);
create index idempotency_keys_expiry on idempotency_keys (expires_at);

create table analyses (
    id uuid primary key,
    owner_id uuid not null references owners on delete cascade,
    job_id uuid,
    cache_key bytea not null,
    kind text not null,
    result json not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index analyses_cache on analyses (owner_id, cache_key, created_at desc);
create index analyses_expiry on analyses (expires_at);

create table cache_counts (
    name text primary key,
    hits bigint not null default 0,
    misses bigint not null default 0
);

create table blobs (
    id uuid primary key,
    -- restrict: the bytes may lie in a bucket, so an owner's files are deleted before the owner
    owner_id uuid not null references owners on delete restrict,
    place text not null check (place in ('postgres', 's3')),
    state text not null default 'writing' check (state in ('writing', 'stored', 'deleting')),
    filename text,
    media_type text not null,
    size bigint not null default 0,
    sha256 bytea,
    created_at timestamptz not null default now(),
    expires_at timestamptz
);
create index blobs_owner on blobs (owner_id, id desc);
create index blobs_expiry on blobs (expires_at) where expires_at is not null;

create table blob_chunks (
    blob_id uuid not null references blobs on delete cascade,
    number integer not null,
    data bytea not null,
    primary key (blob_id, number)
);
alter table blob_chunks alter column data set storage external;

create unlogged table rate_limits (
    key text primary key,
    hits integer not null,
    expires_at timestamptz not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
create index rate_limits_expiry on rate_limits (expires_at);
"""

TABLES = (
    "rate_limits",
    "blob_chunks",
    "blobs",
    "cache_counts",
    "analyses",
    "idempotency_keys",
    "schedules",
    "workers",
    "job_events",
    "jobs",
    "api_keys",
    "owners",
)


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"drop table {table}")
