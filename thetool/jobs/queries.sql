-- All SQL of the queue. A line `-- name: what it does` begins a query; %(name)s is a parameter.
-- Time is Postgres's own now() everywhere: the clocks of the machines need not agree.
-- nullif(status, '') is the status, hidden from the planner: a job that is named by its id is to be found by that. When
-- few jobs run as it plans, it would rather go through the index of all that run, and so later through thousands.

-- enqueue: Add a job of which nothing out of the ordinary was said: `on conflict` is a quarter of what enqueue_once costs.
insert into jobs (id, kind, queue, runs, params, owner_id, correlation_id, priority, timeout_s, max_attempts)
values (
    %(id)s, %(kind)s, %(queue)s, %(runs)s, %(params)s, %(owner_id)s, %(correlation_id)s, %(priority)s, %(timeout)s,
    %(max_attempts)s
)
returning status, case when %(notify)s::boolean then pg_notify('thetool_jobs', queue || ':' || runs || ':' || %(sender)s) end;

-- enqueue_once: Add a job, unless an unfinished one has its dedupe_key.
insert into jobs (
    id, kind, queue, runs, params, owner_id, correlation_id, priority, run_at, timeout_s, max_attempts,
    dedupe_key, idempotency_key, batch_id, parent_id, title, keep_s,
    concurrency_key, concurrency_limit, rate_key, rate_limit, rate_seconds, webhook_url, webhook_key_id
) values (
    %(id)s, %(kind)s, %(queue)s, %(runs)s, %(params)s, %(owner_id)s, %(correlation_id)s, %(priority)s,
    coalesce(%(run_at)s::timestamptz, now()), %(timeout)s, %(max_attempts)s,
    %(dedupe_key)s, %(idempotency_key)s, %(batch_id)s, %(parent_id)s, %(title)s, %(keep)s,
    %(concurrency_key)s, %(concurrency_limit)s, %(rate_key)s, %(rate_limit)s, %(rate_seconds)s,
    %(webhook_url)s, %(webhook_key_id)s
)
on conflict (dedupe_key) where dedupe_key is not null and status in ('queued', 'running') do nothing
returning status, case when %(notify)s::boolean then pg_notify('thetool_jobs', queue || ':' || runs || ':' || %(sender)s) end;

-- enqueue_many: Add jobs, but those whose dedupe_key an unfinished job has; one word to the workers for all of them.
with added as (
    insert into jobs (
        id, kind, queue, runs, params, owner_id, correlation_id, priority, run_at, timeout_s, max_attempts,
        dedupe_key, idempotency_key, batch_id, parent_id, title, keep_s,
        concurrency_key, concurrency_limit, rate_key, rate_limit, rate_seconds, webhook_url, webhook_key_id
    )
    select
        id, kind, queue, runs, params, owner_id, correlation_id, priority, coalesce(run_at, now()), timeout,
        max_attempts, dedupe_key, idempotency_key, batch_id, parent_id, title, keep,
        concurrency_key, concurrency_limit, rate_key, rate_limit, rate_seconds, webhook_url, webhook_key_id
    from json_to_recordset(%(jobs)s::json) as new (
        id uuid, kind text, queue text, runs text, params json, owner_id uuid, correlation_id text, priority integer,
        run_at timestamptz, timeout real, max_attempts integer, dedupe_key text, idempotency_key text, batch_id uuid,
        parent_id uuid, title text, keep double precision, concurrency_key text, concurrency_limit integer,
        rate_key text, rate_limit integer, rate_seconds double precision, webhook_url text, webhook_key_id uuid
    )
    on conflict (dedupe_key) where dedupe_key is not null and status in ('queued', 'running') do nothing
    returning id, queue, runs
), told as materialized (
    select count(pg_notify('thetool_jobs', queue || ':' || runs || ':' || %(sender)s))
    from (select distinct queue, runs from added) as sorts
)
select id from added, told;

-- enqueue_claimed: Add a job that the caller runs at once; it is queued where one that the caller could run is ready.
insert into jobs (
    id, kind, queue, runs, params, owner_id, correlation_id, priority, run_at, timeout_s, max_attempts,
    dedupe_key, idempotency_key, batch_id, parent_id, title, keep_s, webhook_url, webhook_key_id,
    status, attempts, claim_token, worker_id, lease_expires_at, started_at
)
select
    %(id)s, %(kind)s, %(queue)s, %(runs)s, %(params)s, %(owner_id)s, %(correlation_id)s, %(priority)s,
    now(), %(timeout)s, %(max_attempts)s, %(dedupe_key)s, %(idempotency_key)s, %(batch_id)s,
    %(parent_id)s, %(title)s, %(keep)s, %(webhook_url)s, %(webhook_key_id)s,
    case when free then 'running' else 'queued' end,
    case when free then 1 else 0 end,
    case when free then %(token)s::uuid end,
    case when free then %(worker_id)s::uuid end,
    case when free then now() + make_interval(secs => %(lease)s) end,
    case when free then now() end
from (
    select not exists (
        select from jobs
        where status = 'queued' and not held and queue = %(queue)s and runs = %(runs)s and kind = any(%(kinds)s)
            and run_at <= now() and rank <= date_part('epoch', now() - timestamptz '2020-01-01 00:00:00+00') + 6000
    ) as free
) as line
on conflict (dedupe_key) where dedupe_key is not null and status in ('queued', 'running') do nothing
returning status, created_at,
    case when status = 'queued' then pg_notify('thetool_jobs', queue || ':' || runs || ':' || %(sender)s) end;

-- tell_ends: Tell who waits elsewhere which jobs ended, once that is committed. A commit that notifies has its turn in
-- Postgres until it has reached the disk, and all others who notify wait for that; this one need not reach it.
select set_config('synchronous_commit', 'off', true), pg_notify('thetool_jobs_done', %(ids)s);

-- notify: Tell sleeping workers to look: who has slots of this sort for this queue, but for the sender.
select set_config('synchronous_commit', 'off', true), pg_notify('thetool_jobs', %(queue)s || ':' || %(runs)s || ':' || %(sender)s);

-- find_dedupe: The unfinished job that has a dedupe_key.
select id from jobs where dedupe_key = %(dedupe_key)s and status in ('queued', 'running');

-- renew: Keep claims for another lease; gives those that still hold, and whether somebody asked to cancel.
update jobs set lease_expires_at = now() + make_interval(secs => %(lease)s)
from unnest(%(ids)s::uuid[], %(tokens)s::uuid[]) as kept (id, token)
where jobs.id = kept.id and jobs.claim_token = kept.token and nullif(status, '') = 'running'
returning claim_token, cancel_requested_at is not null;

-- renew_free: The same, but those that are left which the worker itself is changing by another connection just now.
with free as materialized (
    select jobs.id from jobs join unnest(%(ids)s::uuid[], %(tokens)s::uuid[]) as kept (id, token) on jobs.id = kept.id
    where claim_token = kept.token and nullif(status, '') = 'running'
    for update of jobs skip locked
)
update jobs set lease_expires_at = now() + make_interval(secs => %(lease)s)
from free where jobs.id = free.id
returning claim_token, cancel_requested_at is not null;

-- asked_to_cancel: Which of these running jobs somebody asked to cancel.
select id from jobs where id = any(%(ids)s::uuid[]) and status = 'running' and cancel_requested_at is not null;

-- complete: Finish jobs with their results, as far as the claims hold and nobody asked to cancel; gives those.
update jobs set
    status = 'completed', result = ended.result::json, error = null, progress = 1, lease_expires_at = null,
    finished_at = now(), expires_at = now() + make_interval(secs => coalesce(keep_s, %(keep)s))
from unnest(%(ids)s::uuid[], %(tokens)s::uuid[], %(results)s::text[]) as ended (id, token, result)
where jobs.id = ended.id and claim_token = ended.token and nullif(status, '') = 'running'
    and cancel_requested_at is null
returning jobs.id;

-- complete_and_claim: The same for no, one or many jobs, and take the next ready ones in one step.
-- A busy worker saves a commit. The first is of any kind; if it is of a quick kind, more of those come along. A job
-- with keys is only pointed at (claimed is false). Materialized: a plan must not run the locking parts twice. A commit
-- that only claims does not wait for the disk: where a crash of Postgres forgets it, the job is simply not claimed.
with done as (
    update jobs set
        status = 'completed', result = ended.result::json, error = null, progress = 1, lease_expires_at = null,
        finished_at = now(), expires_at = now() + make_interval(secs => coalesce(keep_s, %(keep)s))
    from unnest(%(ids)s::uuid[], %(tokens)s::uuid[], %(results)s::text[]) as ended (id, token, result)
    where jobs.id = ended.id and claim_token = ended.token and nullif(status, '') = 'running'
        and cancel_requested_at is null
    returning jobs.id
), head as materialized (
    select id, kind, concurrency_key is not null or rate_key is not null as keyed from jobs
    where status = 'queued' and not held and queue = %(queue)s and runs = %(runs)s and kind = any(%(kinds)s)
        and run_at <= now() and rank <= date_part('epoch', now() - timestamptz '2020-01-01 00:00:00+00') + 6000
    order by rank, id
    limit 1
    for update skip locked
), more as materialized (
    select id from jobs
    where status = 'queued' and not held and queue = %(queue)s and runs = %(runs)s and kind = any(%(quick)s)
        and run_at <= now() and rank <= date_part('epoch', now() - timestamptz '2020-01-01 00:00:00+00') + 6000
        and concurrency_key is null and rate_key is null
        and (select kind = any(%(quick)s) and not keyed from head) and id <> (select id from head)
    order by rank, id
    limit %(limit)s - 1
    for update skip locked
), next as (
    update jobs set
        status = 'running', attempts = attempts + 1, claim_token = gen_random_uuid(), worker_id = %(worker_id)s,
        lease_expires_at = now() + make_interval(secs => %(lease)s), started_at = now()
    from (select id from head where not keyed union all select id from more) as ready
    where jobs.id = ready.id
    returning true as claimed, jobs.id, kind, params::text, owner_id, correlation_id, attempts, max_attempts, timeout_s,
        claim_token, created_at, started_at, rank
), found as (
    select * from next
    union all
    select false, id, null, null, null, null, null, null, null, null, null, null, null from head where keyed
)
select (select count(*) from done),
    case when cardinality(%(ids)s::uuid[]) = 0 then set_config('synchronous_commit', 'off', true) end,
    found.*
from (select) as one left join found on true
order by found.rank, found.id;

-- completed_of: Which of these claims a completion was kept of, where not all of them were.
select id from jobs
where (id, claim_token) in (select id, token from unnest(%(ids)s::uuid[], %(tokens)s::uuid[]) as ended (id, token))
    and status = 'completed';

-- claim_keyed: Take a job that has keys if they have room; gives it all the same, with the seconds until a look pays.
select
    status = 'running', id, kind, params::text, owner_id, correlation_id, attempts, max_attempts, timeout_s,
    claim_token, created_at, started_at,
    case when isfinite(run_at) then greatest(date_part('epoch', run_at - clock_timestamp()), 0) end
from jobs_claim_keyed(%(id)s, %(worker_id)s, %(lease)s);

-- release_rates: Let jobs go whose rate key has room again; gives in how many seconds to look again at each.
select jobs_release_rate(key, false) from (select key from job_rates where free_at <= now() limit 100) as due;

-- release_stuck: Let jobs go whose concurrency key has room, though nothing of that key ended: its free place went to a
-- job that was put off. Looks at a hundred keys after one, and waits for nobody who is at work on one of them.
with recursive keys as (
    (
        select concurrency_key as key from jobs
        where concurrency_key > %(after)s::text and status = 'queued' and held order by concurrency_key limit 1
    )
    union all
    select (
        select concurrency_key from jobs
        where concurrency_key > keys.key and status = 'queued' and held order by concurrency_key limit 1
    ) from keys where keys.key is not null
)
select key, jobs_release(key, false) from (select key from keys where key is not null limit 100) as stuck;

-- fail: Finish a job with an error, if the claim still holds; cancelled stays cancelled.
update jobs set
    status = case when cancel_requested_at is null then 'failed' else 'cancelled' end,
    error = %(error)s, lease_expires_at = null,
    finished_at = now(), expires_at = now() + make_interval(secs => coalesce(keep_s, %(keep)s))
where id = %(id)s and claim_token = %(token)s and nullif(status, '') = 'running'
returning status, pg_notify('thetool_jobs_done', id::text);

-- retry: Put a job back for another attempt later, if the claim still holds and nobody asked to cancel.
update jobs set
    status = 'queued', error = %(error)s, run_at = now() + make_interval(secs => %(seconds)s),
    claim_token = null, worker_id = null, lease_expires_at = null
where id = %(id)s and claim_token = %(token)s and nullif(status, '') = 'running' and cancel_requested_at is null
returning status;

-- finish_cancelled: Finish a job that stopped because somebody asked, if the claim still holds.
update jobs set
    status = 'cancelled', lease_expires_at = null,
    finished_at = now(), expires_at = now() + make_interval(secs => coalesce(keep_s, %(keep)s))
where id = %(id)s and claim_token = %(token)s and nullif(status, '') = 'running'
returning status, pg_notify('thetool_jobs_done', id::text);

-- hand_back: Put all running jobs of a worker back as if it had never taken them.
-- Whoever locks several jobs takes the youngest first, so also children before their parents: see groups/queries.sql.
with locked as materialized (
    select id from jobs where worker_id = %(worker_id)s and status = 'running' order by id desc for update
)
update jobs set
    status = case when cancel_requested_at is null then 'queued' else 'cancelled' end,
    finished_at = case when cancel_requested_at is null then null else now() end,
    expires_at = case when cancel_requested_at is not null
        then now() + make_interval(secs => coalesce(keep_s, %(keep)s)) end,
    attempts = greatest(attempts - 1, 0), claim_token = null, worker_id = null, lease_expires_at = null
from locked where jobs.id = locked.id and status = 'running'
returning jobs.id, case when status = 'queued' then pg_notify('thetool_jobs', queue || ':' || runs || ':')
    else pg_notify('thetool_jobs_done', jobs.id::text) end;

-- give_back_unheard: Put back what a worker claimed without hearing of it, for the answer was lost.
with locked as materialized (
    select id from jobs
    where worker_id = %(worker_id)s and status = 'running' and started_at < now() - interval '5 seconds'
        and claim_token <> all(%(tokens)s::uuid[])
    order by id desc for update
)
update jobs set
    status = case when cancel_requested_at is null then 'queued' else 'cancelled' end,
    finished_at = case when cancel_requested_at is not null then now() end,
    expires_at = case when cancel_requested_at is not null
        then now() + make_interval(secs => coalesce(keep_s, %(keep)s)) end,
    attempts = greatest(attempts - 1, 0), claim_token = null, worker_id = null, lease_expires_at = null
from locked where jobs.id = locked.id and status = 'running'
returning jobs.id, case when status = 'queued' then pg_notify('thetool_jobs', queue || ':' || runs || ':')
    else pg_notify('thetool_jobs_done', jobs.id::text) end;

-- give_back: Put claimed jobs that were not begun back, with no attempt used.
update jobs set
    status = case when cancel_requested_at is null then 'queued' else 'cancelled' end,
    finished_at = case when cancel_requested_at is not null then now() end,
    expires_at = case when cancel_requested_at is not null
        then now() + make_interval(secs => coalesce(keep_s, %(keep)s)) end,
    attempts = greatest(attempts - 1, 0), claim_token = null, worker_id = null, lease_expires_at = null
from unnest(%(ids)s::uuid[], %(tokens)s::uuid[]) as given (id, token)
where jobs.id = given.id and claim_token = given.token and nullif(status, '') = 'running'
returning jobs.id, case when status = 'queued' then pg_notify('thetool_jobs', queue || ':' || runs || ':')
    else pg_notify('thetool_jobs_done', jobs.id::text) end;

-- rescue: Take back jobs whose worker fell silent: queued again, failed when their attempts are used up.
with taken as materialized (
    select id, case
        when cancel_requested_at is not null then 'cancelled'
        when attempts >= max_attempts then 'failed'
        else 'queued'
    end as fate
    from jobs
    where status = 'running' and lease_expires_at < now()
    order by lease_expires_at limit 100
    for update skip locked
)
update jobs set
    status = fate, lost = lost + 1, claim_token = null, worker_id = null, lease_expires_at = null,
    error = case when fate = 'failed' then %(error)s::jsonb end,
    finished_at = case when fate <> 'queued' then now() end,
    expires_at = case when fate <> 'queued' then now() + make_interval(secs => coalesce(keep_s, %(keep)s)) end
from taken where jobs.id = taken.id
returning jobs.id, kind, fate, attempts,
    case when fate = 'queued' then pg_notify('thetool_jobs', queue || ':' || runs || ':')
    else pg_notify('thetool_jobs_done', jobs.id::text) end;

-- delete: Delete a finished job, and what remembers it.
with gone as (
    delete from jobs where id = %(id)s and status in ('completed', 'failed', 'cancelled') returning id, owner_id
)
delete from idempotency_keys using gone
where idempotency_keys.owner_id = gone.owner_id and job_id = gone.id;

-- snapshot: A job as it is now.
select id, kind, owner_id, status, stage, message, progress, attempts, max_attempts, result::text, error,
    correlation_id, created_at, started_at, finished_at
from jobs where id = %(id)s;

-- depth: How many jobs wait, counted no further than a limit. Deliveries of webhooks may wait a day, and count not; nor
-- does what the service does by itself.
select count(*) from (
    select from jobs where status = 'queued' and delivery_of is null and not starts_with(kind, 'system.') limit %(limit)s
) as waiting;

-- unfinished_of: How many unfinished jobs an owner has, counted no further than a limit. Among all unfinished ones, not
-- among the owner's, of which most are finished: the cast keeps Postgres from the index of owners.
select count(*) from (
    select from jobs where status = 'queued' and owner_id::text = %(owner_id)s::uuid::text and delivery_of is null
        and not starts_with(kind, 'system.')
    union all
    select from jobs where status = 'running' and owner_id::text = %(owner_id)s::uuid::text and delivery_of is null
        and not starts_with(kind, 'system.')
    limit %(limit)s
) as unfinished;

-- outlook: What the health page says about each queue; the last two are without what lists of jobs leave out
-- (deliveries of webhooks, what the service does by itself). Each half has an index of its own; finished jobs cost nothing.
select queue, sum(ready)::bigint, sum(scheduled)::bigint, sum(running)::bigint, sum(lost)::bigint,
    extract(epoch from now() - min(oldest))::float8, sum(listed_waiting)::bigint, sum(listed_running)::bigint
from (
    select queue, count(*) filter (where run_at <= now() and not held) as ready,
        count(*) filter (where run_at > now() or held) as scheduled, 0 as running, 0 as lost,
        min(run_at) filter (where run_at <= now() and not held) as oldest,
        count(*) filter (where delivery_of is null and not starts_with(kind, 'system.')) as listed_waiting,
        0 as listed_running
    from jobs where status = 'queued' group by queue
    union all
    select queue, 0, 0, count(*), count(*) filter (where lease_expires_at < now()), null, 0,
        count(*) filter (where delivery_of is null and not starts_with(kind, 'system.'))
    from jobs where status = 'running' group by queue
) as half
group by queue order by queue;

-- workers: The live workers.
select id, host, pid, version, kinds, slots, running, draining, started_at, heartbeat_at
from workers where heartbeat_at > now() - make_interval(secs => %(lease)s) order by id;

-- offered: The kinds that live workers take.
select distinct unnest(kinds) from workers
where not draining and heartbeat_at > now() - make_interval(secs => %(lease)s);

-- heartbeat: Say that a worker lives, and what it runs.
insert into workers (id, host, pid, version, kinds, slots, running, draining)
values (%(id)s, %(host)s, %(pid)s, %(version)s, %(kinds)s, %(slots)s, %(running)s, %(draining)s)
on conflict (id) do update set
    heartbeat_at = now(), kinds = excluded.kinds, running = excluded.running, draining = excluded.draining;

-- leave: Remove a worker.
delete from workers where id = %(id)s;

-- forget_the_dead: Remove workers that have long been silent.
delete from workers where heartbeat_at < now() - make_interval(secs => 10 * %(lease)s);

-- remember: Reserve an idempotency key; gives no row when the key is in use.
insert into idempotency_keys (owner_id, key, request_hash, job_id, analysis_id, expires_at)
values (
    %(owner_id)s, %(key)s, %(request_hash)s, %(job_id)s, %(analysis_id)s,
    now() + make_interval(secs => %(keep)s)
)
on conflict (owner_id, key) do update set
    request_hash = excluded.request_hash, job_id = excluded.job_id, analysis_id = excluded.analysis_id,
    created_at = now(), expires_at = excluded.expires_at
where idempotency_keys.expires_at < now()
returning key;

-- point_key: Tie an idempotency key to another job.
update idempotency_keys set job_id = %(job_id)s where owner_id = %(owner_id)s and key = %(key)s;

-- take_over_key: Tie the idempotency key of a job that is gone to another, unless somebody else has.
update idempotency_keys set
    job_id = %(job_id)s, created_at = now(), expires_at = now() + make_interval(secs => %(keep)s)
where owner_id = %(owner_id)s and key = %(key)s and job_id = %(gone)s
returning key;

-- recall: What an idempotency key stands for, and whether that is a job that is gone.
select request_hash, job_id, analysis_id,
    job_id is not null and not exists (select from jobs where jobs.id = idempotency_keys.job_id)
from idempotency_keys
where owner_id = %(owner_id)s and key = %(key)s and expires_at >= now();
