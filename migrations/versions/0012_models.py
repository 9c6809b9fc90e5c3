"""Models that people upload, their files and aliases, the predictions made with them.

Revision ID: 0012
Revises: 0011
Create Date: 2026-11-28
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

UPGRADE = """
-- One file for each content of an owner, however many models are made of it.
create table model_files (
    owner_id uuid not null references owners (id) on delete cascade,
    sha256 bytea not null,
    blob_id uuid not null,
    size bigint not null,
    primary key (owner_id, sha256)
);

-- precedence: the version so that its bytes sort as SemVer does; found: what validation found in the file;
-- revision: counts the changes.
create table models (
    id uuid primary key,
    owner_id uuid not null references owners (id) on delete cascade,
    name text not null,
    version text not null,
    precedence bytea not null,
    description text,
    tags text[] not null default '{}',
    status text not null default 'pending'
        check (status in ('pending', 'uploaded', 'validating', 'ready', 'error', 'archived')),
    error_message text,
    metadata json not null default '{}',
    found json,
    signature json,
    batching json,
    file_sha256 bytea,
    validation_job_id uuid,
    revision integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (owner_id, name, version),
    foreign key (owner_id, file_sha256) references model_files (owner_id, sha256)
);
create index models_newest on models (owner_id, id desc);
create index models_precedence on models (owner_id, name, precedence desc, id desc);
create index models_file on models (owner_id, file_sha256) where file_sha256 is not null;

-- earlier: the models that the alias named before, the last one last; canary: who gets a share of its predictions.
create table model_aliases (
    owner_id uuid not null references owners (id) on delete cascade,
    name text not null,
    alias text not null,
    model_id uuid not null references models (id) on delete cascade,
    earlier uuid[] not null default '{}',
    canary_model_id uuid references models (id) on delete set null,
    canary_percent real not null default 0 check (canary_percent between 0 and 100),
    updated_at timestamptz not null default now(),
    primary key (owner_id, name, alias)
);
create index model_aliases_model on model_aliases (model_id);

-- No foreign key: rows come by the hundred, and one of a model that was just deleted must not stop the others.
create table predictions (
    id uuid primary key,
    owner_id uuid not null,
    model_id uuid not null,
    input_data json,
    output_data json,
    truncated boolean not null default false,
    rows integer,
    inference_time_ms real,
    cached boolean not null default false,
    error text,
    request_id text,
    created_at timestamptz not null
);
create index predictions_model on predictions (model_id, id desc);

-- Lost in a crash of Postgres, as a cache may be.
create unlogged table prediction_cache (
    key bytea primary key,
    model_id uuid not null,
    value bytea not null,
    expires_at timestamptz not null
);
create index prediction_cache_model on prediction_cache (model_id);
create index prediction_cache_expires on prediction_cache (expires_at);

-- Every process remembers models, and forgets them when it hears of a change.
create function tell_models_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('thetool_models', coalesce(new.id, old.id)::text);
    return null;
end
$$;
create function tell_aliases_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('thetool_models', coalesce(new.model_id, old.model_id)::text);
    return null;
end
$$;
create trigger models_changed after insert or update or delete on models
for each row execute function tell_models_changed();
create trigger model_aliases_changed after insert or update or delete on model_aliases
for each row execute function tell_aliases_changed();

-- A validation that was killed says nothing more itself.
create function end_validation() returns trigger language plpgsql as $$
begin
    update models set
        status = case new.status when 'failed' then 'error' else 'uploaded' end,
        error_message = case new.status when 'failed' then new.error->>'message' end,
        revision = revision + 1, updated_at = now()
    where validation_job_id = new.id and status = 'validating';
    return null;
end
$$;
create trigger jobs_end_validation after update of status on jobs for each row
when (new.status in ('failed', 'cancelled') and old.status in ('queued', 'running') and new.kind = 'serving.validate')
execute function end_validation();
"""

DOWNGRADE = """
drop trigger jobs_end_validation on jobs;
drop function end_validation;
drop table prediction_cache, predictions, model_aliases, models, model_files;
drop function tell_models_changed;
drop function tell_aliases_changed;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
