"""posts

Revision ID: ccc333
Revises: bbb222
Create Date: 2026-11-30 01:12:49.614530

"""
from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = 'ccc333'
down_revision: Union[str, Sequence[str], None] = 'bbb222'
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    pass


def downgrade() -> None:
    """Downgrade schema."""
    pass
