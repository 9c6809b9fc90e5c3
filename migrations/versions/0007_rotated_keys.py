"""A rotated key knows the one that took its place: a list of keys can say why the old one is still there.

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-22
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table api_keys add column replaced_by uuid references api_keys on delete set null")


def downgrade() -> None:
    op.execute("alter table api_keys drop column replaced_by")
