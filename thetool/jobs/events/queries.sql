-- What streams read, and what is noted for them.

-- progress: Note how far a job is, if the claim still holds, and say that there is something to read.
with told as (
    update jobs set
        progress = %(progress)s, stage = coalesce(%(stage)s, stage), message = coalesce(%(message)s, message)
    where id = %(id)s and claim_token = %(token)s and nullif(status, '') = 'running'
    returning id, stage, message, progress
), noted as (
    insert into job_events (job_id, stage, message, progress)
    select id, stage, message, progress from told
    returning job_id
)
select pg_notify('thetool_jobs_progress', job_id::text) from noted;

-- begun: Say that there is something to read of jobs (their ids, with commas) that have begun.
select pg_notify('thetool_jobs_progress', %(ids)s);

-- keep_file: Note that a job stored a file, if the claim still holds.
insert into job_files (job_id, blob_id, claim_token)
select id, %(blob_id)s, claim_token from jobs
where id = %(id)s and claim_token = %(token)s and nullif(status, '') = 'running'
returning blob_id;

-- news: Of some jobs, how they are now and what they said after an event (no event: only which one was the last).
select jobs.id, kind, status, jobs.stage, jobs.message, jobs.progress, attempts, max_attempts,
    case when error is not null then jsonb_build_object('code', error ->> 'code', 'message', error ->> 'message') end,
    correlation_id, cancel_requested_at, jobs.created_at, started_at, finished_at,
    case when status = 'completed' then array(
        select blob_id::text from job_files where job_id = jobs.id and job_files.claim_token = jobs.claim_token
        order by blob_id
    ) else '{}' end,
    coalesce(said.last, asked.after, (select max(id) from job_events where job_id = jobs.id), 0),
    coalesce(said.events, '[]')
from unnest(%(ids)s::uuid[], %(after)s::bigint[]) as asked (id, after)
join jobs on jobs.id = asked.id
left join lateral (
    select max(id) as last, json_agg(found) as events
    from (
        select id, stage, message, progress, created_at from job_events
        where job_id = asked.id and id > asked.after order by id limit %(limit)s
    ) as found
) as said on true;

-- said_between: What a job said after one event, until another with that one.
select id, stage, message, progress, created_at from job_events
where job_id = %(id)s and id > %(after)s and id <= %(last)s order by id limit %(limit)s;
