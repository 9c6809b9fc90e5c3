-- SQL of the webhooks, read like the queue's. The deliveries themselves are made by a trigger: see migration 0003.

-- webhook_secrets: What the secrets of a key are derived from, the newest first; without those that sign no more.
select salt, fingerprint from webhook_secrets
where key_id is not distinct from %(key_id)s::uuid and (retires_at is null or retires_at > now())
order by id desc;

-- deliveries: The deliveries of a job's ends, the newest first.
select id, params::text, status, attempts, max_attempts, run_at, result::text, error, created_at, started_at, finished_at
from jobs where delivery_of = %(id)s::uuid order by id desc limit 100;

-- deliver_again: Deliver a job's last end once more: by the delivery that still waits, which then waits no more.
with waiting as (
    update jobs set run_at = now()
    where delivery_of = %(id)s::uuid and status = 'queued'
        and (params->>'finished_at')::timestamptz = (select finished_at from jobs where id = %(id)s::uuid)
    returning id, pg_notify('thetool_jobs', queue || ':' || runs || ':')
), running as (
    select id from jobs where delivery_of = %(id)s::uuid and status = 'running'
), earlier as (
    select params->>'message_id' as message from jobs
    where delivery_of = %(id)s::uuid
        and (params->>'finished_at')::timestamptz = (select finished_at from jobs where id = %(id)s::uuid)
    order by id limit 1
)
select id from waiting
union all select id from running
union all select jobs_deliver(jobs, (select message from earlier)) from jobs
where id = %(id)s::uuid and webhook_url is not null and status in ('completed', 'failed', 'cancelled')
    and not exists (select from waiting) and not exists (select from running);
