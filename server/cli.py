"""The command `unrolled`: serve, analyze, certify."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from server.settings import Settings
from server.version import RELEASE


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = argparse.ArgumentParser(
        prog="unrolled",
        description="See how gradients flow back through time in recurrent networks, and what truncation does to them.",
    )
    made.add_argument("--version", action="version", version=f"unrolled {RELEASE}")
    commands = made.add_subparsers(dest="command", required=True, metavar="serve | analyze | certify")
    _add_serve(commands)
    return made


def _add_serve(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    serve = commands.add_parser("serve", help="serve the page and the API on this machine")
    serve.add_argument("--host", help="the address to listen on (default: 127.0.0.1)")
    serve.add_argument("--port", type=int, help="the port; 0 takes a free one (default: 8000)")
    serve.add_argument("--no-open", action="store_true", help="do not open a browser")
    serve.set_defaults(run=_serve)


def _serve(arguments: argparse.Namespace) -> int:
    from server.serve import serve

    given = {name: value for name in ("host", "port") if (value := getattr(arguments, name)) is not None}
    return serve(Settings(**given), open_browser=not arguments.no_open)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command. Returns its exit code: 0 fine, 1 a certificate failed, 2 wrong usage or input."""
    arguments = parser().parse_args(argv)
    code: int = arguments.run(arguments)
    return code


if __name__ == "__main__":
    sys.exit(main())
