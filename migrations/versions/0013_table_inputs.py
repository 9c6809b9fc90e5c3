"""A table that cannot be read is let go of as its job fails: the same file would fail so again.

Revision ID: 0013
Revises: 0012
Create Date: 2026-11-28
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

PHOTOS = "'unsupported_media_type', 'damaged_image', 'image_too_large', 'decoding_timed_out'"
TABLES = """'empty_table', 'not_a_table', 'damaged_table', 'table_too_large', 'ambiguous_archive',
    'unreadable_encoding', 'unfit_read_options'"""
# A long text may get through another time, or with more memory; a table would need the same again.
TOO_MUCH = "new.kind = 'analyze.table' and new.error->>'code' in ('out_of_memory', 'out_of_disk')"

# As in 0011, with further codes.
FUNCTION = """
create or replace function drop_analysis_files() returns trigger language plpgsql as $$
declare
    files uuid[] := array(select blob_id from job_files where job_id = new.id);
begin
    if new.status = 'failed' and (new.error->>'code' in ({codes}) or {also}) then
        files := files || (new.params->>'input')::uuid;
    end if;
    delete from blobs where id = any(files) and place = 'postgres';
    update blobs set expires_at = now() where id = any(files);
    return null;
end
$$;
"""


def upgrade() -> None:
    op.execute(FUNCTION.format(codes=f"{PHOTOS}, {TABLES}", also=TOO_MUCH))


def downgrade() -> None:
    op.execute(FUNCTION.format(codes=PHOTOS, also="false"))
