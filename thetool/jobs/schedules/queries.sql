-- All SQL of the schedules, their statistics and the health of the queue. As in jobs/queries.sql: a line
-- `-- name: what it does` begins a query, %(name)s is a parameter, and time is Postgres's own now().

-- add_schedule: Make a schedule known; one whose rule has changed begins anew.
insert into schedules (name, rule, next_run_at) values (%(name)s, %(rule)s, %(next)s)
on conflict (name) do update set rule = excluded.rule, next_run_at = excluded.next_run_at
where schedules.rule <> excluded.rule;

-- now: What time it is.
select now();

-- due: The ticks that have come, and the present moment.
select name, next_run_at, now() from schedules where name = any(%(names)s) and next_run_at <= now();

-- take_tick: Claim a tick; gives a row to one process only, with the job that the last tick became if that is unfinished.
update schedules set last_run_at = next_run_at, next_run_at = %(next)s, runs = runs + 1
where name = %(name)s and next_run_at = %(tick)s
returning (select id from jobs where jobs.id = schedules.job_id and jobs.status in ('queued', 'running'));

-- note_job: Remember what a tick became.
update schedules set job_id = %(job_id)s, error = null where name = %(name)s;

-- note_skipped: Remember that a tick became nothing, because its predecessor is unfinished; one that a process of an
-- older version made for slots that no longer take its kind goes to those that do, else it would be the last.
with moved as (
    update jobs set queue = %(queue)s, runs = %(runs)s
    from schedules
    where schedules.name = %(name)s and jobs.id = schedules.job_id and jobs.status = 'queued' and jobs.kind = %(kind)s
        and (jobs.queue, jobs.runs) <> (%(queue)s, %(runs)s)
)
update schedules set skipped = skipped + 1 where name = %(name)s;

-- note_errand: Remember how an errand went; and when it is due again, where it said so.
update schedules set error = %(error)s, next_run_at = coalesce(now() + make_interval(secs => %(seconds)s), next_run_at)
where name = %(name)s and next_run_at = %(next)s;

-- all_schedules: The schedules as they stand.
select name, rule, next_run_at, last_run_at, job_id, runs, skipped, error from schedules order by name;

-- add_statistics: Add what ended lately to the present minute and to the present hour.
insert into job_statistics as known (
    period, begins, kind, completed, failed, cancelled, retried, lost, seconds, durations
)
select period, date_trunc(period, now()), %(kind)s::text, %(completed)s::integer, %(failed)s::integer,
    %(cancelled)s::integer, %(retried)s::integer, %(lost)s::integer, %(seconds)s::float8, %(durations)s::integer[]
from unnest(array['minute', 'hour']) as period
on conflict (period, begins, kind) do update set
    completed = known.completed + excluded.completed, failed = known.failed + excluded.failed,
    cancelled = known.cancelled + excluded.cancelled, retried = known.retried + excluded.retried,
    lost = known.lost + excluded.lost, seconds = known.seconds + excluded.seconds,
    durations = (
        select array_agg(coalesce(was, 0) + coalesce(more, 0) order by step)
        from unnest(known.durations, excluded.durations) with ordinality as both_of (was, more, step)
    );

-- statistics: What ended, by kind, in the hours (or minutes) that began so lately, the newest first.
select begins, kind, completed, failed, cancelled, retried, lost, seconds, durations
from job_statistics
where period = %(period)s and begins > now() - make_interval(secs => %(seconds)s)
order by begins desc, kind;

-- recent_statistics: What ended in the last minutes, by kind, and how many seconds those minutes have had.
select kind, sum(completed), sum(failed), sum(cancelled), sum(retried), sum(lost),
    extract(epoch from now() - (date_trunc('minute', now()) - make_interval(mins => %(minutes)s - 1)))::float8,
    array(
        select sum(count) from job_statistics as one, unnest(one.durations) with ordinality as size (count, step)
        where one.kind = job_statistics.kind and one.period = 'minute'
            and one.begins > now() - make_interval(mins => %(minutes)s)
        group by step order by step
    )
from job_statistics
where period = 'minute' and begins > now() - make_interval(mins => %(minutes)s)
group by kind order by kind;

-- recently_enqueued: Of the newest jobs, how many were made in the last minutes (those of recent_statistics), how many
-- there are, how many seconds ago the oldest of them was made, and how many seconds those minutes have had.
select count(*) filter (where created_at >= begins), count(*), extract(epoch from now() - min(created_at))::float8,
    extract(epoch from now() - min(begins))::float8
from (
    select created_at, date_trunc('minute', now()) - make_interval(mins => %(minutes)s - 1) as begins
    from jobs order by id desc limit %(limit)s
) as newest;

-- dead_tuples: How many dead and live rows these tables have, as far as Postgres has heard.
select relname::text, n_dead_tup, n_live_tup from pg_stat_user_tables
where relname = any(%(tables)s::text[]) and schemaname = current_schema()
order by relname;

-- long_lost: How many running jobs have a lease that ran out more than a minute ago, so that somebody should have seen.
select count(*) from jobs where status = 'running' and lease_expires_at < now() - interval '1 minute';
