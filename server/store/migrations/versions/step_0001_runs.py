"""Runs, their events, their lanes' last checkpoints, and the weights of the moments that can be opened again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _run() -> sa.Column[int]:
    return sa.Column("run", NUMBER, sa.ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True, nullable=False)


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("visitor", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("lab", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("updated", sa.Double, nullable=False),
        sa.UniqueConstraint("visitor", "key", name="one_run_a_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("runs_of_a_visitor", "runs", ["visitor", "number"])
    op.create_table(
        "events",
        _run(),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("data", sa.Text, nullable=False),
        sa.UniqueConstraint("run", "lane", "kind", "key", name="one_event_a_key"),
    )
    op.create_table(
        "checkpoints",
        _run(),
        sa.Column("lane", sa.Text, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "moments",
        _run(),
        sa.Column("lane", sa.Text, primary_key=True),
        sa.Column("tokens", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
