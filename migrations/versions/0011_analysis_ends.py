"""The statement that ends an analysis in failure lets go of what it leaves, too.

The thumbnail that a failed or cancelled attempt had kept stayed for a day, and a photo that can never be decoded until
the next cleanup. Contents of other jobs that failed or were cancelled are kept as before: those can be put back.

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-28
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# What failed so would fail so again: a photo that cannot be decoded.
HOPELESS = "('unsupported_media_type', 'damaged_image', 'image_too_large', 'decoding_timed_out')"

# What lies in a bucket goes with the next cleanup.
UPGRADE = f"""
create function drop_analysis_files() returns trigger language plpgsql as $$
declare
    files uuid[] := array(select blob_id from job_files where job_id = new.id);
begin
    if new.status = 'failed' and new.error->>'code' in {HOPELESS} then
        files := files || (new.params->>'input')::uuid;
    end if;
    delete from blobs where id = any(files) and place = 'postgres';
    update blobs set expires_at = now() where id = any(files);
    return null;
end
$$;

create trigger jobs_drop_analysis_files after update of status on jobs for each row
when (
    new.status in ('failed', 'cancelled') and old.status in ('queued', 'running') and new.kind like 'analyze.%'
)
execute function drop_analysis_files();
"""

DOWNGRADE = """
drop trigger jobs_drop_analysis_files on jobs;
drop function drop_analysis_files;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
