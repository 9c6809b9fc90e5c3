"""The statement that completes an analysis also lets go of the content that it was made of.

A long text was marked as expired by a callback of its job, in a transaction of three statements, and its bytes lay in
the database until the next cleanup. Photos come in hundreds: what lies in the database goes at once now, what lies in a
bucket with the next cleanup.

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-22
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEEP = """
    insert into analyses (id, owner_id, job_id, cache_key, kind, result, created_at, expires_at)
    values (
        new.id, new.owner_id, new.id, decode(new.params->>'cache_key', 'hex'), new.result->>'kind', new.result,
        new.created_at, now() + make_interval(secs => (new.params->>'keep_seconds')::float8)
    )
    on conflict (id) do nothing;
"""

# `params` hold the id of the stored content, where it is stored.
UPGRADE = f"""
create or replace function keep_analysis() returns trigger language plpgsql as $$
declare
    input uuid := (new.params->>'input')::uuid;
begin
    {KEEP}
    if input is not null then
        delete from blobs where id = input and place = 'postgres';
        update blobs set expires_at = now() where id = input;
    end if;
    return null;
end
$$;
"""

DOWNGRADE = f"""
create or replace function keep_analysis() returns trigger language plpgsql as $$
begin
    {KEEP}
    return null;
end
$$;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
