"""What stands in an address for a run: its id, so that no other part of an address is taken for one."""

from __future__ import annotations

from starlette.convertors import StringConvertor, register_url_convertor

from server.store.rows import RUN_ID


class RunConvertor(StringConvertor):
    """Matches a run's id alone."""

    regex = RUN_ID.pattern


def register() -> None:
    """Has routes know `{id:run}`; however often it is called."""
    register_url_convertor("run", RunConvertor())
