"""Keys of jobs: rates that differ, nobody passes an older one, and locks that are short and taken in one order.

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-22
"""

import runpy
from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = """
-- Of the jobs with one rate key each may have a rate of its own: kept are as many beginnings (`most`), for as long
-- (`seconds`), as any of them asked for.
alter table job_rates
    add column most integer not null default 0,
    add column seconds double precision not null default 0;

-- By kind: jobs that are alike stand in one line.
drop index jobs_concurrency_waiting;
create index jobs_concurrency_waiting on jobs (concurrency_key, held, kind, rank, id)
    where concurrency_key is not null and status = 'queued';
"""

FUNCTIONS = """
drop trigger jobs_key_deleted on jobs;
drop trigger jobs_key_left on jobs;
drop function jobs_make_room, jobs_release_rate, jobs_release, jobs_claim_keyed;

-- Let as many held jobs of a concurrency key go as it has room for, of each kind in turn: they may run in different
-- places, or nowhere; who begins is found out when they are claimed. Not patient: not where somebody else has the lock.
create function jobs_release(wanted text, patient boolean default true) returns void language plpgsql as $$
declare
    line text := '';
    next record;
    busy bigint;
begin
    if patient then
        perform jobs_lock_concurrency(wanted);
    elsif not pg_try_advisory_xact_lock(hashtextextended(wanted, 7001)) then
        return;
    end if;
    select count(*) into busy from jobs where concurrency_key = wanted and status = 'running';
    loop
        select kind into line from jobs
        where concurrency_key = wanted and status = 'queued' and held and kind > line order by kind limit 1;
        exit when not found;
        loop
            select id, rank, queue, runs, concurrency_limit into next from jobs
            where concurrency_key = wanted and status = 'queued' and held and kind = line order by rank, id limit 1;
            exit when not found or next.concurrency_limit <= busy + (
                select count(*) from (
                    select from jobs
                    where concurrency_key = wanted and status = 'queued' and not held and kind = line
                        and (rank, id) < (next.rank, next.id) and run_at <= now()
                    limit next.concurrency_limit
                ) as ahead
            );
            perform from jobs where id = next.id and held for update skip locked;
            exit when not found;  -- somebody changes it just now, and nobody is to pass it
            update jobs set held = false where id = next.id;
            perform pg_notify('thetool_jobs', next.queue || ':' || next.runs || ':');
        end loop;
    end loop;
end $$;

-- When a job may begin, as far as its rate goes, when `ahead` others begin before it; null or the past: at once.
create function jobs_rate_free(starts timestamptz[], most integer, seconds double precision, ahead integer)
returns timestamptz language sql immutable as $$
    select starts[cardinality(starts) + ahead - most + 1] + make_interval(secs => seconds)
$$;

-- Let the held jobs of a rate key go whose turn and time it is; gives in how many seconds to look again, null when none
-- is held any more.
create function jobs_release_rate(wanted text, patient boolean default true) returns double precision
language plpgsql as $$
declare
    next record;
    begun timestamptz[];
    moment timestamptz;
    free timestamptz;
begin
    if patient then
        perform jobs_lock_rate(wanted);
    elsif not pg_try_advisory_xact_lock(hashtextextended(wanted, 7002)) then
        return 0.1;
    end if;
    select starts into begun from job_rates where key = wanted;
    moment := clock_timestamp();
    for next in
        select id, queue, runs, rate_limit, rate_seconds from jobs
        where rate_key = wanted and status = 'queued' and held
        order by rank, id limit 1000 for update skip locked
    loop
        free := jobs_rate_free(begun, next.rate_limit, next.rate_seconds, 0);
        exit when free > moment;
        begun := begun || moment;
        update jobs set held = false where id = next.id;
        perform pg_notify('thetool_jobs', next.queue || ':' || next.runs || ':');
    end loop;
    free := case when exists (select from jobs where rate_key = wanted and status = 'queued' and held)
        then greatest(free, moment + interval '0.1 seconds') end;
    update job_rates set free_at = free where key = wanted and free_at is distinct from free;
    return date_part('epoch', free - moment);
end $$;

-- Claim one queued job that has keys. Gives it as it is then: running; or queued, where its keys have no room, or have
-- it for older jobs like it: then it is held, with those behind it, and its run_at says when to look again (infinity:
-- when one of the key ends). No row: it is gone.
create function jobs_claim_keyed(job_id uuid, by_worker uuid, lease double precision) returns setof jobs
language plpgsql as $$
declare
    job jobs;
    busy bigint;
    ahead integer;
    known job_rates;
    moment timestamptz;
begin
    select * into job from jobs where id = job_id and nullif(status, '') = 'queued' and not held;
    if not found then return; end if;
    if job.concurrency_key is not null then perform jobs_lock_concurrency(job.concurrency_key); end if;
    if job.rate_key is not null then perform jobs_lock_rate(job.rate_key); end if;
    perform from jobs where id = job_id and nullif(status, '') = 'queued' and not held and run_at <= now()
    for update skip locked;
    if not found then return; end if;
    if job.concurrency_key is not null then
        select (
            select count(*) from jobs where concurrency_key = job.concurrency_key and status = 'running'
        ), (
            select count(*) from (
                (
                    select from jobs
                    where concurrency_key = job.concurrency_key and status = 'queued' and held and kind = job.kind
                        and (rank, id) < (job.rank, job.id) and rate_key is not distinct from job.rate_key
                    limit job.concurrency_limit
                )
                union all
                (
                    select from jobs
                    where concurrency_key = job.concurrency_key and status = 'queued' and not held and kind = job.kind
                        and (rank, id) < (job.rank, job.id) and rate_key is not distinct from job.rate_key
                        and run_at <= now()
                    limit job.concurrency_limit
                )
            ) as line
        ) into busy, ahead;
        if job.concurrency_limit <= busy + ahead then
            update jobs set held = true where id in (
                select id from jobs
                where concurrency_key = job.concurrency_key and status = 'queued' and not held and kind = job.kind
                    and (rank, id) >= (job.rank, job.id) and run_at <= now()
                for update skip locked
            );
            if busy < job.concurrency_limit then perform jobs_release(job.concurrency_key); end if;
            job.run_at := 'infinity';
            return next job;
            return;
        end if;
    end if;
    if job.rate_key is not null then
        insert into job_rates (key) values (job.rate_key) on conflict do nothing;
        select * into known from job_rates where key = job.rate_key;
        moment := clock_timestamp();
        select count(*) into ahead from (
            select from jobs
            where rate_key = job.rate_key and status = 'queued' and held and kind = job.kind
                and (rank, id) < (job.rank, job.id) and concurrency_key is not distinct from job.concurrency_key
            limit job.rate_limit
        ) as line;
        if ahead >= job.rate_limit
            or jobs_rate_free(known.starts, job.rate_limit, job.rate_seconds, ahead) > moment
        then
            update jobs set held = true where id in (
                select id from jobs
                where rate_key = job.rate_key and status = 'queued' and not held and kind = job.kind
                    and (rank, id) >= (job.rank, job.id) and run_at <= now()
                for update skip locked
            );
            job.run_at := moment + make_interval(secs => coalesce(jobs_release_rate(job.rate_key), 0));
            return next job;
            return;
        end if;
        known.most := greatest(known.most, job.rate_limit);
        known.seconds := greatest(known.seconds, job.rate_seconds);
        update job_rates set
            most = known.most, seconds = known.seconds,
            starts = array(
                select at from (
                    select at from unnest(known.starts || moment) as at
                    where at > moment - make_interval(secs => known.seconds)
                    order by at desc limit known.most
                ) as newest
                order by at
            )
        where key = job.rate_key;
    end if;
    return query update jobs set
        status = 'running', attempts = attempts + 1, claim_token = gen_random_uuid(), worker_id = by_worker,
        lease_expires_at = clock_timestamp() + make_interval(secs => lease),
        started_at = coalesce(moment, clock_timestamp())
    where id = job_id returning jobs.*;
end $$;

-- Whatever ends a job that has a concurrency key, puts it back, or takes it out of the queue, makes room. That is noted
-- at once, and done with the commit: a key is locked for the commit only, whatever a transaction does besides; after
-- all rows; and several keys in one order. So nobody waits in a circle. Of very many keys the first are seen to: the
-- others are found by `release_stuck`.
create function jobs_note_key() returns trigger language plpgsql as $$
declare
    noted text := coalesce(nullif(current_setting('thetool.keys_left', true), ''), E'\\n');
    note text := to_json(old.concurrency_key)::text || E'\\n';
begin
    if length(noted) < 10000 and strpos(noted, E'\\n' || note) = 0 then
        perform set_config('thetool.keys_left', noted || note, true);
    end if;
    return null;
end $$;

create function jobs_make_room() returns trigger language plpgsql as $$
declare
    noted text := current_setting('thetool.keys_left', true);
    key text;
begin
    if coalesce(noted, '') = '' then return null; end if;
    perform set_config('thetool.keys_left', '', true);
    for key in
        select note::json #>> '{}' as wanted from string_to_table(trim(both E'\\n' from noted), E'\\n') as note
        order by hashtextextended(note::json #>> '{}', 7001)
    loop
        perform jobs_release(key);
    end loop;
    return null;
end $$;
"""

# A constraint trigger is the sort that may be deferred.
TRIGGERS = """
create trigger jobs_key_noted after update of status on jobs for each row when ({left})
    execute function jobs_note_key();
create constraint trigger jobs_key_left after update of status on jobs deferrable initially deferred for each row
    when ({left}) execute function jobs_make_room();
create trigger jobs_key_noted_deleted after delete on jobs for each row when ({deleted})
    execute function jobs_note_key();
create constraint trigger jobs_key_deleted after delete on jobs deferrable initially deferred for each row
    when ({deleted}) execute function jobs_make_room();
""".format(
    left="old.concurrency_key is not null and old.status in ('queued', 'running')"
    " and new.status not in ('running', old.status)",
    deleted="old.concurrency_key is not null and old.status in ('queued', 'running')",
)

UNDO = """
drop trigger jobs_key_deleted on jobs;
drop trigger jobs_key_noted_deleted on jobs;
drop trigger jobs_key_left on jobs;
drop trigger jobs_key_noted on jobs;
drop function jobs_make_room, jobs_note_key, jobs_claim_keyed, jobs_release_rate, jobs_rate_free, jobs_release;
drop index jobs_concurrency_waiting;
create index jobs_concurrency_waiting on jobs (concurrency_key, held, rank, id)
    where concurrency_key is not null and status = 'queued';
alter table job_rates drop column most, drop column seconds;
"""


def upgrade() -> None:
    op.execute(TABLES + FUNCTIONS + TRIGGERS)


def downgrade() -> None:
    before = runpy.run_path(str(Path(__file__).with_name("0002_job_engine.py")))["CLAIMS"]
    op.execute(UNDO + before[before.index("-- Claim one queued job") :])
