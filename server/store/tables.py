"""The tables as they are now; `migrations/` has the steps to here. (leaf)"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

NUMBER = BigInteger().with_variant(Integer, "sqlite")  # a number that SQLite gives out must be an INTEGER
metadata = MetaData()


def _run(primary: bool = True) -> Column[int]:
    """Returns the column that says which run a row belongs to; the row goes with its run."""
    return Column("run", NUMBER, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=primary, nullable=False)


# `number` orders the runs by when they were made, whatever the clock said; `last` is the id of the last event;
# `owner` is the server that works at it, or was the last to do so.
runs = Table(
    "runs",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("visitor", Text, nullable=False),
    Column("key", Text),
    Column("title", Text, nullable=False),
    Column("lab", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("created", Double, nullable=False),
    Column("updated", Double, nullable=False),
    Column("owner", BigInteger),
    UniqueConstraint("visitor", "key", name="one_run_a_key"),
    Index("runs_of_a_visitor", "visitor", "number"),
    sqlite_autoincrement=True,
)

HIDDEN = ""
"""the visitor of a run that was deleted, of which something is still there"""
shown = runs.c.visitor != HIDDEN

events = Table(
    "events",
    metadata,
    _run(),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("key", Text),
    Column("data", Text, nullable=False),
    UniqueConstraint("run", "lane", "kind", "key", name="one_event_a_key"),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    _run(),
    Column("lane", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

moments = Table(
    "moments",
    metadata,
    _run(),
    Column("lane", Text, primary_key=True),
    Column("tokens", BigInteger, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)
