"""The batches of a model are found among all jobs of its owner.

Revision ID: 0015
Revises: 0014
Create Date: 2026-11-28
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "create index jobs_batches on jobs ((params ->> 'model_id'), id desc) where kind = 'batch.predict'",
    )


def downgrade() -> None:
    op.execute("drop index jobs_batches")
