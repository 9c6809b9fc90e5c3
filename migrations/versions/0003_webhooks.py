"""Webhooks: secrets and deliveries.

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-22
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# The delivery is made by a trigger, not by the statements that finish jobs: whichever statement it is, a job's end and
# its delivery are one transaction, and a job without a webhook pays for the look at one column.
UPGRADE = """
alter table jobs drop constraint jobs_runs_check;
alter table jobs add constraint jobs_runs_check check (runs in ('thread', 'process', 'network'));

-- webhook_key_id: the issued key whose secret signs; null is the master key.
-- delivery_of: the job whose end this job tells.
alter table jobs add column webhook_key_id uuid, add column delivery_of uuid;
create index jobs_deliveries on jobs (delivery_of, id desc) where delivery_of is not null;

-- The secret is not here: it is derived from SECRET_KEY and the salt; the fingerprint tells when SECRET_KEY changed.
create table webhook_secrets (
    id bigint generated always as identity primary key,
    key_id uuid references api_keys on delete cascade,
    salt bytea not null,
    fingerprint bytea not null,
    created_at timestamptz not null default now(),
    retires_at timestamptz
);
create index webhook_secrets_key on webhook_secrets (key_id);

-- A UUIDv7, as the ids of all other jobs: milliseconds first, so that they sort by time.
create function jobs_new_id() returns uuid language sql volatile parallel safe as $$
    select encode(set_bit(set_bit(overlay(
        uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6
    ), 52, 1), 53, 1), 'hex')::uuid
$$;

-- The delivery of a finished job; `message` is null, or that of an earlier delivery of the same end. Kind, time-out and
-- attempts are those of thetool/jobs/webhooks/jobs.py. Four at a time to one host: a slow one takes not all threads.
create function jobs_deliver(job jobs, message text) returns uuid language plpgsql as $$
declare
    delivery uuid := jobs_new_id();
begin
    insert into jobs (
        id, kind, queue, runs, owner_id, correlation_id, timeout_s, max_attempts, concurrency_key,
        concurrency_limit, delivery_of, params
    ) values (
        delivery, 'webhooks.deliver', 'cpu', 'network', job.owner_id, job.correlation_id, 60, 10,
        'webhook ' || lower(substring(job.webhook_url from '://([^/?]+)')), 4, job.id,
        json_build_object(
            'message_id', coalesce(message, 'msg_' || replace(delivery::text, '-', '')), 'event', 'job.' || job.status,
            'job_id', job.id, 'finished_at', job.finished_at, 'url', job.webhook_url, 'key_id', job.webhook_key_id
        )
    );
    perform pg_notify('thetool_jobs', 'cpu:network:');
    return delivery;
end
$$;

create function jobs_tell_webhook() returns trigger language plpgsql as $$
begin
    perform jobs_deliver(new, null);
    return null;
end
$$;

create trigger jobs_tell_webhook after update of status on jobs for each row
when (
    new.webhook_url is not null and new.status in ('completed', 'failed', 'cancelled')
    and old.status not in ('completed', 'failed', 'cancelled')
)
execute function jobs_tell_webhook();
"""

DOWNGRADE = """
drop trigger jobs_tell_webhook on jobs;
drop function jobs_tell_webhook;
drop function jobs_deliver;
drop function jobs_new_id;
drop table webhook_secrets;
drop index jobs_deliveries;
delete from jobs where runs = 'network';
alter table jobs drop column webhook_key_id, drop column delivery_of;
alter table jobs drop constraint jobs_runs_check;
alter table jobs add constraint jobs_runs_check check (runs in ('thread', 'process'));
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
