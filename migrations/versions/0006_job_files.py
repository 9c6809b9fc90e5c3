"""The files that a job stored: its listeners are given links to them.

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-22
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UPGRADE = """
-- claim_token: of the attempt that stored it; those of an earlier attempt are none of the result's.
create table job_files (
    job_id uuid not null references jobs on delete cascade,
    blob_id uuid not null references blobs on delete cascade,
    claim_token uuid not null,
    primary key (job_id, blob_id)
);
create index job_files_blob on job_files (blob_id);
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("drop table job_files")
