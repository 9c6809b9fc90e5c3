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
create index jobs_failed on jobs (kind, id) where status = 'failed';

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
    where id = parent and nullif(status, '') = 'queued' and children_left > 0  -- found by its id, whatever waits
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
drop index jobs_failed;
drop trigger jobs_child_deleted on jobs;
drop trigger jobs_child_finished on jobs;
drop function jobs_child_changed;
drop function jobs_count_child;
alter table jobs drop column title, drop column keep_s;
"""

# What a claim goes by. `rank` is whose turn it is, in seconds: a job of priority 1 goes before what was there up to a
# minute earlier, and so whatever waits goes first in the end. `held` takes a job out of the claims' index while its
# concurrency_key or rate_key has no room: ten thousand of them then cost those behind them nothing.
CLAIMS = """
alter table jobs
    add column rank double precision not null generated always as (
        case when isfinite(run_at)
            then date_part('epoch', run_at - timestamptz '2020-01-01 00:00:00+00')
                - 60 * least(greatest(priority, -100), 100)
            else 'infinity'
        end
    ) stored,
    add column held boolean not null default false,
    add column concurrency_limit integer,
    add column rate_limit integer,
    add column rate_seconds double precision,
    add constraint jobs_concurrency_limit check ((concurrency_key is null) = (concurrency_limit is null)),
    add constraint jobs_rate_limit
        check ((rate_key is null) = (rate_limit is null) and (rate_key is null) = (rate_seconds is null));
drop index jobs_ready;
-- run_at comes last: it is tested within the index, so that jobs of high priority for later cost no look at the table.
create index jobs_ready on jobs (queue, runs, held, rank, id, run_at) where status = 'queued';
create index jobs_concurrency_waiting on jobs (concurrency_key, held, rank, id)
    where concurrency_key is not null and status = 'queued';
create index jobs_rate_waiting on jobs (rate_key, held, rank, id) where rate_key is not null and status = 'queued';

-- A foreign key locks its owner's row at each insert: one row for all jobs of most houses, and a third of what an
-- insert cost. An owner's jobs go with the owner all the same.
alter table jobs drop constraint jobs_owner_id_fkey;
create function owners_take_jobs_along() returns trigger language plpgsql as $$
begin
    delete from jobs where owner_id = old.id;
    return null;
end $$;
create trigger owners_deleted after delete on owners for each row execute function owners_take_jobs_along();

-- When the last jobs of a rate key began, the oldest first; and when held ones of it are to be looked at again.
create table job_rates (
    key text primary key,
    starts timestamptz[] not null default '{}',
    free_at timestamptz
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
create index job_rates_free on job_rates (free_at) where free_at is not null;

-- Whoever counts a key's jobs holds its lock: counts are exact, whoever else claims or finishes meanwhile. Each query
-- of a plpgsql function sees what was committed before it began, so also what its wait for the lock was about.
create function jobs_lock_concurrency(key text) returns void language sql volatile as $$
    select pg_advisory_xact_lock(hashtextextended(key, 7001))
$$;
create function jobs_lock_rate(key text) returns void language sql volatile as $$
    select pg_advisory_xact_lock(hashtextextended(key, 7002))
$$;

-- Claim one queued job that has keys. Gives it as it is then: running; or queued, where its key has no room: then all
-- ready ones of the key are held, and its run_at says when to look again (infinity: when one of them ends). No row: it
-- is gone.
create function jobs_claim_keyed(job_id uuid, by_worker uuid, lease double precision) returns setof jobs
language plpgsql as $$
declare
    job jobs;
    recent timestamptz[];
    moment timestamptz;
begin
    select * into job from jobs where id = job_id and nullif(status, '') = 'queued' and not held;
    if not found then return; end if;
    if job.concurrency_key is not null then perform jobs_lock_concurrency(job.concurrency_key); end if;
    if job.rate_key is not null then perform jobs_lock_rate(job.rate_key); end if;
    perform from jobs where id = job_id and nullif(status, '') = 'queued' and not held and run_at <= now()
    for update skip locked;
    if not found then return; end if;
    if job.concurrency_key is not null and job.concurrency_limit <= (
        select count(*) from jobs where concurrency_key = job.concurrency_key and status = 'running'
    ) then
        update jobs set held = true where id in (
            select id from jobs where concurrency_key = job.concurrency_key and status = 'queued' and not held
                and run_at <= now()
            for update skip locked
        );
        job.run_at := 'infinity';
        return next job;
        return;
    end if;
    if job.rate_key is not null then
        insert into job_rates (key) values (job.rate_key) on conflict do nothing;
        moment := clock_timestamp();
        select coalesce(array_agg(at order by at), '{}') into recent from job_rates, unnest(starts) as at
        where key = job.rate_key and at > moment - make_interval(secs => job.rate_seconds);
        if cardinality(recent) >= job.rate_limit then
            moment := recent[cardinality(recent) - job.rate_limit + 1] + make_interval(secs => job.rate_seconds);
            update job_rates set free_at = moment where key = job.rate_key;
            update jobs set held = true where id in (
                select id from jobs where rate_key = job.rate_key and status = 'queued' and not held and run_at <= now()
                for update skip locked
            );
            job.run_at := moment;
            return next job;
            return;
        end if;
        update job_rates set starts = recent || moment where key = job.rate_key;
    end if;
    return query update jobs set
        status = 'running', attempts = attempts + 1, claim_token = gen_random_uuid(), worker_id = by_worker,
        lease_expires_at = clock_timestamp() + make_interval(secs => lease), started_at = clock_timestamp()
    where id = job_id returning jobs.*;
end $$;

-- Let as many held jobs of a concurrency key go as it has room for.
create function jobs_release(key text) returns void language plpgsql as $$
declare
    next record;
    busy bigint;
begin
    perform jobs_lock_concurrency(key);
    select (select count(*) from jobs where concurrency_key = key and status = 'running') + (
        select count(*) from (
            select from jobs where concurrency_key = key and status = 'queued' and not held and run_at <= now()
            limit 1000
        ) as ready
    ) into busy;
    loop
        select id, concurrency_limit, queue, runs into next from jobs
        where concurrency_key = key and status = 'queued' and held order by rank, id limit 1 for update skip locked;
        exit when not found or next.concurrency_limit <= busy;
        update jobs set held = false where id = next.id;
        busy := busy + 1;
        perform pg_notify('thetool_jobs', next.queue || ':' || next.runs || ':');
    end loop;
end $$;

-- The same for a rate key; gives in how many seconds to look again, null when none of its jobs is held any more.
create function jobs_release_rate(rate text) returns double precision language plpgsql as $$
declare
    next record;
    recent timestamptz[];
    room integer;
    moment timestamptz;
begin
    perform jobs_lock_rate(rate);
    select rate_limit, rate_seconds into next from jobs
    where rate_key = rate and status = 'queued' and held order by rank, id limit 1;
    if not found then
        update job_rates set free_at = null where key = rate;
        return null;
    end if;
    select coalesce(array_agg(at order by at), '{}') into recent from job_rates, unnest(starts) as at
    where key = rate and at > clock_timestamp() - make_interval(secs => next.rate_seconds);
    room := next.rate_limit - cardinality(recent);
    moment := coalesce(recent[1] + make_interval(secs => next.rate_seconds), clock_timestamp() + interval '1 second');
    update job_rates set starts = recent, free_at = moment where key = rate;
    for next in
        select id, queue, runs from jobs where rate_key = rate and status = 'queued' and held
        order by rank, id limit greatest(room, 0) for update skip locked
    loop
        update jobs set held = false where id = next.id;
        perform pg_notify('thetool_jobs', next.queue || ':' || next.runs || ':');
    end loop;
    return greatest(date_part('epoch', moment - clock_timestamp()), 0);
end $$;

-- Whatever ends a job that has a concurrency key, puts it back, or takes it out of the queue, makes room.
create function jobs_make_room() returns trigger language plpgsql as $$
begin
    perform jobs_release(old.concurrency_key);
    return null;
end $$;
create trigger jobs_key_left after update of status on jobs for each row
    when (old.concurrency_key is not null and not old.held and old.status in ('queued', 'running')
        and new.status not in ('running', old.status))
    execute function jobs_make_room();
create trigger jobs_key_deleted after delete on jobs for each row
    when (old.concurrency_key is not null and not old.held and old.status in ('queued', 'running'))
    execute function jobs_make_room();
"""

UNDO_CLAIMS = """
drop trigger jobs_key_deleted on jobs;
drop trigger jobs_key_left on jobs;
drop function jobs_make_room, jobs_release_rate, jobs_release, jobs_claim_keyed, jobs_lock_rate, jobs_lock_concurrency;
drop table job_rates;
drop trigger owners_deleted on owners;
drop function owners_take_jobs_along;
alter table jobs add constraint jobs_owner_id_fkey foreign key (owner_id) references owners on delete cascade;
drop index jobs_rate_waiting, jobs_concurrency_waiting, jobs_ready;
alter table jobs
    drop constraint jobs_rate_limit, drop constraint jobs_concurrency_limit,
    drop column rate_seconds, drop column rate_limit, drop column concurrency_limit, drop column held, drop column rank;
create index jobs_ready on jobs (queue, runs, priority desc, run_at, id) where status = 'queued';
"""


def upgrade() -> None:
    op.execute(UPGRADE)
    op.execute(CLAIMS)


def downgrade() -> None:
    op.execute(UNDO_CLAIMS)
    op.execute(DOWNGRADE)
