"""Webhooks: no owner's silent receivers hold all threads; what the service does by itself has a slot of its own.

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-22
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# An owner's deliveries go in three lanes of four at a time, each receiver always in the same one: twelve in all
# processes together, however many hosts the owner names, and a silent receiver leaves two lanes to the others.
LANES = """
create or replace function jobs_deliver(job jobs, message text) returns uuid language plpgsql as $$
declare
    delivery uuid := jobs_new_id();
    host text := lower(substring(job.webhook_url from '://([^/?]+)'));
begin
    insert into jobs (
        id, kind, queue, runs, owner_id, correlation_id, timeout_s, max_attempts, concurrency_key,
        concurrency_limit, delivery_of, params
    ) values (
        delivery, 'webhooks.deliver', 'cpu', 'network', job.owner_id, job.correlation_id, 60, 10,
        format('webhooks %s %s', job.owner_id, (hashtext(host) & 2147483647) % 3), 4, job.id,
        json_build_object(
            'message_id', coalesce(message, 'msg_' || replace(delivery::text, '-', '')), 'event', 'job.' || job.status,
            'job_id', job.id, 'finished_at', job.finished_at, 'url', job.webhook_url, 'key_id', job.webhook_key_id
        )
    );
    perform pg_notify('thetool_jobs', 'cpu:network:');
    return delivery;
end
$$;
"""

HOUSEKEEPING = """
alter table jobs drop constraint jobs_runs_check;
alter table jobs add constraint jobs_runs_check check (runs in ('thread', 'process', 'network', 'housekeeping'));
update jobs set runs = 'housekeeping' where kind = 'system.cleanup' and status in ('queued', 'running');
"""

UNDO_HOUSEKEEPING = """
update jobs set runs = 'network' where runs = 'housekeeping';
alter table jobs drop constraint jobs_runs_check;
alter table jobs add constraint jobs_runs_check check (runs in ('thread', 'process', 'network'));
"""

HOSTS = LANES.replace("format('webhooks %s %s', job.owner_id, (hashtext(host) & 2147483647) % 3)", "'webhook ' || host")


def upgrade() -> None:
    op.execute(LANES)
    op.execute(HOUSEKEEPING)


def downgrade() -> None:
    op.execute(UNDO_HOUSEKEEPING)
    op.execute(HOSTS)
