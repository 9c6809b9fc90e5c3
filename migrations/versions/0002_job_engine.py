"""The job engine: what claims, batches and parents need.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-22
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UPGRADE = """
-- Seconds that this job is kept after its end, where they are not JOB_RETENTION_DAYS; and what people call it.
alter table jobs add column keep_s double precision, add column title text;

-- While a parent waits for its children (queued, run_at = infinity), children_left is how many of them are unfinished.
-- Whatever ends one, or puts one back, says so here, in the same transaction; the last one's end makes the parent
-- ready. Locks go from child to parent, always; a job without a parent costs the test of `when`.
create function jobs_count_child(parent uuid, step integer) returns void language plpgsql as $$
declare
    ready record;
begin
    perform from jobs where id = parent for update;
    update jobs set
        children_left = children_left + step,
        run_at = case when children_left + step <= 0 then now() else run_at end
    where id = parent and status = 'queued' and children_left > 0
    returning queue, runs, children_left into ready;
    if ready.children_left <= 0 then
        perform pg_notify('thetool_jobs', ready.queue || ':' || ready.runs || ':');
    end if;
end $$;

create function jobs_child_changed() returns trigger language plpgsql as $$
begin
    perform jobs_count_child(old.parent_id, case when old.status in ('queued', 'running') then -1 else 1 end);
    return null;
end $$;
create trigger jobs_child_finished after update of status on jobs for each row
    when (old.parent_id is not null
        and (old.status in ('queued', 'running')) <> (new.status in ('queued', 'running')))
    execute function jobs_child_changed();
create trigger jobs_child_deleted after delete on jobs for each row
    when (old.parent_id is not null and old.status in ('queued', 'running'))
    execute function jobs_child_changed();
"""

DOWNGRADE = """
drop trigger jobs_child_deleted on jobs;
drop trigger jobs_child_finished on jobs;
drop function jobs_child_changed;
drop function jobs_count_child;
alter table jobs drop column title, drop column keep_s;
"""


def upgrade() -> None:
    if UPGRADE:
        op.execute(UPGRADE)


def downgrade() -> None:
    if DOWNGRADE:
        op.execute(DOWNGRADE)
