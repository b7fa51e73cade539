"""From an older form of the tables to the present one, in one transaction; a newer one is refused."""

from __future__ import annotations

from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from server.store.errors import StoreError

STEPS = Path(__file__).resolve().parent / "migrations"


def steps() -> ScriptDirectory:
    """Returns the steps that this version of Unrolled knows."""
    return ScriptDirectory(str(STEPS))


def version(connection: Connection) -> str | None:
    """Returns the version of the tables in the database: None if there are none yet."""
    return MigrationContext.configure(connection).get_current_revision()


def pending(connection: Connection, known: ScriptDirectory) -> list[str]:
    """Returns the versions that the database has still to go through, the next one first.

    Raises:
        StoreError: its tables are of a version that is not known here.
    """
    present = version(connection)
    every = [script.revision for script in known.walk_revisions()]
    if present is not None and present not in every:
        limit = f"its tables are of version {present}, and this Unrolled knows them up to {every[0]}"
        raise StoreError("newer", 503, limit, "Update Unrolled, or choose another database with UNROLLED_DATABASE.")
    return every[: every.index(present) if present else None][::-1]


def migrate(connection: Connection, known: ScriptDirectory) -> None:
    """Takes every step that is pending. The caller's transaction holds them all, or none."""
    todo = pending(connection, known)

    def taken(present: object, context: MigrationContext) -> list[MigrationStep]:
        return [MigrationStep.upgrade_from_script(known.revision_map, known.get_revision(one)) for one in todo]

    context = MigrationContext.configure(connection, opts={"fn": taken, "transactional_ddl": True})
    with Operations.context(context):
        context.run_migrations()
