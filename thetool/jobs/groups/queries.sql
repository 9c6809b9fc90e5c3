-- SQL of jobs that belong together: equal ones, batches, parents with their children, and what is put back.
-- Locks go from child to parent: whatever takes both takes the child first; of other jobs the younger one. Those of keys
-- come last, with the commit. Time is now(), as in ../queries.sql.

-- enqueue_replacing: Add a job, or put it in the place of the queued one that has its dedupe_key.
-- One that has begun gives the key up. No row: the other began just now; try again.
with begun as (
    update jobs set dedupe_key = null
    where dedupe_key = %(dedupe_key)s and (status = 'running' or (status = 'queued' and children_left > 0))
    returning id
)
insert into jobs (
    id, kind, queue, runs, params, owner_id, correlation_id, priority, run_at, timeout_s, max_attempts,
    dedupe_key, idempotency_key, batch_id, title, keep_s, webhook_url, webhook_key_id,
    concurrency_key, concurrency_limit, rate_key, rate_limit, rate_seconds
)
select
    %(id)s, %(kind)s, %(queue)s, %(runs)s, %(params)s, %(owner_id)s, %(correlation_id)s, %(priority)s,
    coalesce(%(run_at)s::timestamptz, now()), %(timeout)s, %(max_attempts)s,
    %(dedupe_key)s, %(idempotency_key)s, %(batch_id)s, %(title)s, %(keep)s,
    %(webhook_url)s, %(webhook_key_id)s,
    %(concurrency_key)s, %(concurrency_limit)s, %(rate_key)s, %(rate_limit)s, %(rate_seconds)s
from (select count(*) from begun) as first
on conflict (dedupe_key) where dedupe_key is not null and status in ('queued', 'running') do update set
    kind = excluded.kind, queue = excluded.queue, runs = excluded.runs, params = excluded.params,
    correlation_id = excluded.correlation_id, priority = excluded.priority, timeout_s = excluded.timeout_s,
    max_attempts = excluded.max_attempts, idempotency_key = excluded.idempotency_key, title = excluded.title,
    batch_id = coalesce(excluded.batch_id, jobs.batch_id), keep_s = excluded.keep_s,
    webhook_url = coalesce(excluded.webhook_url, jobs.webhook_url),
    webhook_key_id = case when excluded.webhook_url is null then jobs.webhook_key_id else excluded.webhook_key_id end,
    run_at = case
        when %(put_off)s::boolean then greatest(jobs.run_at, excluded.run_at)
        when jobs.attempts > 0 or %(run_at)s::timestamptz is not null then excluded.run_at
        else jobs.run_at
    end,
    concurrency_key = excluded.concurrency_key, concurrency_limit = excluded.concurrency_limit,
    rate_key = excluded.rate_key, rate_limit = excluded.rate_limit, rate_seconds = excluded.rate_seconds, held = false,
    attempts = 0, error = null, progress = 0, stage = null, message = null
where jobs.status = 'queued' and jobs.children_left = 0
returning id, pg_notify('thetool_jobs', queue || ':' || runs || ':' || %(sender)s);

-- cancel_tree: Cancel unfinished jobs and what is unfinished beneath them, or ask the workers of running ones.
-- A parent that waited may have got more children meanwhile: say it again while `children` is true.
with recursive tree (id, depth) as (
    select unnest(%(ids)s::uuid[]), 0
    union
    select jobs.id, depth + 1 from jobs join tree on jobs.parent_id = tree.id where status in ('queued', 'running')
), locked as materialized (
    select jobs.id from jobs join tree on tree.id = jobs.id where status in ('queued', 'running')
    order by depth desc, jobs.id desc
    for update of jobs
)
update jobs set
    cancel_requested_at = coalesce(cancel_requested_at, now()),
    status = case status when 'queued' then 'cancelled' else status end,
    finished_at = case status when 'queued' then now() end,
    expires_at = case status when 'queued' then now() + make_interval(secs => coalesce(keep_s, %(keep)s)) end
from locked where jobs.id = locked.id and status in ('queued', 'running')
returning jobs.id, status, children_left > 0 as children, case when status = 'running'
    then pg_notify('thetool_jobs_cancel', jobs.id::text) else pg_notify('thetool_jobs_done', jobs.id::text) end;

-- suspend: Lay a job aside, as if this attempt had not been, if the claim still holds and nobody asked to cancel.
update jobs set
    status = 'queued', run_at = 'infinity', attempts = greatest(attempts - 1, 0),
    claim_token = null, worker_id = null, lease_expires_at = null
where id = %(id)s and claim_token = %(token)s and nullif(status, '') = 'running' and cancel_requested_at is null
returning id;

-- await_children: Let a job that was laid aside wait for its unfinished children; ready at once when there are none.
update jobs set
    children_left = unfinished, run_at = case when unfinished > 0 then 'infinity'::timestamptz else now() end
from (
    select count(*) filter (where status in ('queued', 'running')) as unfinished, count(*) as made
    from jobs where parent_id = %(id)s
) as children
where id = %(id)s
returning unfinished, made,
    case when unfinished = 0 then pg_notify('thetool_jobs', queue || ':' || runs || ':') end;

-- children_of: The children of a job, in the order in which they were made, without their results.
select id, kind, status, title, error from jobs where parent_id = %(id)s order by id;

-- result_of_child: The result of one child, as JSON text.
select result::text from jobs where id = %(id)s and parent_id = %(parent_id)s;

-- batch: How the jobs of a batch stand; of one owner, or of all.
select count(*), count(*) filter (where status = 'queued'), count(*) filter (where status = 'running'),
    count(*) filter (where status = 'completed'), count(*) filter (where status = 'failed'),
    count(*) filter (where status = 'cancelled'),
    avg(case when status in ('queued', 'running') then progress else 1 end)::float8,
    min(created_at), case when bool_and(finished_at is not null) then max(finished_at) end
from jobs where batch_id = %(batch_id)s and (%(owner_id)s::uuid is null or owner_id = %(owner_id)s);

-- batch_failures: The first jobs of a batch that failed.
select id, title, error->>'code', error->>'message' from jobs
where batch_id = %(batch_id)s and (%(owner_id)s::uuid is null or owner_id = %(owner_id)s) and status = 'failed'
order by id limit %(limit)s;

-- batch_unfinished: The unfinished jobs of a batch.
select id from jobs
where batch_id = %(batch_id)s and (%(owner_id)s::uuid is null or owner_id = %(owner_id)s)
    and status in ('queued', 'running')
order by id;

-- requeue: Put jobs that failed or were cancelled back, with all their attempts.
-- The last error stays until they succeed.
update jobs set
    status = 'queued', run_at = now(), attempts = 0, lost = 0, progress = 0, stage = null, message = null,
    cancel_requested_at = null, started_at = null, finished_at = null, expires_at = null,
    claim_token = null, worker_id = null, lease_expires_at = null, children_left = 0, held = false
where id = any(%(ids)s::uuid[]) and status in ('failed', 'cancelled')
returning id, pg_notify('thetool_jobs', queue || ':' || runs || ':');

-- inputs_gone: Of some jobs those that cannot run again: the stored content that they were to analyze is no longer there.
select id from jobs
where id = any(%(ids)s::uuid[]) and status in ('failed', 'cancelled') and starts_with(kind, 'analyze.') and params->>'input' is not null
    and not exists (
        select from blobs
        where blobs.id = (params->>'input')::uuid and state = 'stored' and (blobs.expires_at is null or blobs.expires_at > now())
    );

-- failed_of_kind: Failed jobs of a kind that may be put back, of one owner or of all, oldest first, and how many.
-- Of those with one dedupe_key the newest, unless there is an unfinished one; none whose content to analyze is gone.
select id, count(*) over () from (
    select distinct on (coalesce(dedupe_key, id::text)) id, dedupe_key from jobs
    where kind = %(kind)s and status = 'failed' and (%(owner_id)s::uuid is null or owner_id = %(owner_id)s)
        and (
            not starts_with(kind, 'analyze.') or params->>'input' is null or exists (
                select from blobs
                where blobs.id = (params->>'input')::uuid and state = 'stored'
                    and (blobs.expires_at is null or blobs.expires_at > now())
            )
        )
    order by coalesce(dedupe_key, id::text), id desc
) as failed
where dedupe_key is null or not exists (
    select from jobs where jobs.dedupe_key = failed.dedupe_key and status in ('queued', 'running')
)
order by id limit %(limit)s;

-- kind_figures: How the newest jobs stand, by kind, and how long completed ones ran; of one owner or of all.
select kind, count(*) filter (where status = 'queued'), count(*) filter (where status = 'running'),
    count(*) filter (where status = 'completed'), count(*) filter (where status = 'failed'),
    count(*) filter (where status = 'cancelled'),
    extract(epoch from now() - min(run_at) filter (where status = 'queued' and run_at <= now()))::float8,
    percentile_cont(array[0.5, 0.95]) within group (order by extract(epoch from finished_at - started_at)::float8)
        filter (where status = 'completed')
from (
    (
        select kind, status, run_at, started_at, finished_at from jobs
        where %(owner_id)s::uuid is null order by id desc limit %(limit)s
    )
    union all
    (
        select kind, status, run_at, started_at, finished_at from jobs
        where owner_id = %(owner_id)s::uuid order by id desc limit %(limit)s
    )
) as newest
group by kind order by kind;
