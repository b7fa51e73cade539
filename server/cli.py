"""The command `unrolled`: serve, analyze, certify, train, reach."""

from __future__ import annotations

import argparse
import getpass
import io
import os
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from engine import CONVENTIONS, INCLUDES, OPTIONS, REDUCTIONS, InputError, Option, Problem
from engine.errors import shorten
from server import commands, train_flags
from server.problems import RefusedError, nearest
from server.settings import Settings
from server.traces import command as traces
from server.version import RELEASE

DESCRIPTION = (
    "See how gradients flow back through time in recurrent networks, and what truncation does to them. "
    "Exit codes: 0 fine, 1 a certificate failed, a reach differs or a run did not end, 2 wrong usage or input."
)

OWN = ["--text-file", "--config", "--weights", "--initial-state", "--convention"]


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser; `analyze` and `certify` have a flag for every option of a config."""
    made = argparse.ArgumentParser(prog="unrolled", description=DESCRIPTION, allow_abbrev=False)
    made.add_argument("--version", action="version", version=f"unrolled {RELEASE}")
    found = made.add_subparsers(dest="command", required=True, metavar="{serve,analyze,certify,train,reach}")
    serve = found.add_parser("serve", help="serve the page and the API on this machine", allow_abbrev=False)
    serve.add_argument("--host", help="the address to listen on (default: 127.0.0.1)")
    serve.add_argument("--port", help="the port; 0 takes a free one (default: 8000)")
    serve.add_argument("--no-open", action="store_true", help="do not open a browser")
    serve.add_argument(
        "--passphrase", action="store_true", help="ask everybody for a passphrase, which is read from the terminal"
    )
    serve.add_argument(
        "--public", action=argparse.BooleanOptionalAction, help="the strict limits, for a server that strangers reach"
    )
    serve.set_defaults(run=_serve)
    analyze = found.add_parser("analyze", help="analyse one config; prints a summary", allow_abbrev=False)
    _add_config(analyze)
    _add_outputs(analyze)
    analyze.set_defaults(run=commands.analyze)
    certify = found.add_parser("certify", help="check one config's gradients; prints each block", allow_abbrev=False)
    _add_config(certify)
    certify.set_defaults(run=commands.certify)
    train_flags.add_to(found, _train, _metavar, _help)
    traces.add_to(found)
    return made


def _add_config(to: argparse.ArgumentParser) -> None:
    group = to.add_argument_group("the config")
    for option in OPTIONS:
        group.add_argument(
            "--" + option.name.replace("_", "-"),
            dest=f"config.{option.name}",
            metavar=_metavar(option),
            help=_help(option),
        )
    group.add_argument("--text-file", metavar="FILE", help="the text, from a file in UTF-8")
    group.add_argument("--config", metavar="FILE.json", help="a config, or what POST takes; flags override it")
    _add_own(to)


def _add_own(to: argparse.ArgumentParser) -> None:
    group = to.add_argument_group("your own network")
    group.add_argument(
        "--weights", metavar="FILE", help=".npz or .safetensors; hidden and layers are the file's unless given"
    )
    group.add_argument("--initial-state", metavar="FILE", help=".npz or .safetensors")
    group.add_argument(
        "--convention",
        metavar="|".join(CONVENTIONS),
        help="whose names, order and layout these have, and in the answer weights and gradients (default: native)",
    )


def _metavar(option: Option) -> str:
    return "|".join(option.choices) if option.choices else option.kind.upper()


def _help(option: Option) -> str:
    default = "" if option.default in ("", ()) else f" (default: {str(option.default).lower()})"
    return (option.help + default).replace("%", "%%")


def _add_outputs(to: argparse.ArgumentParser) -> None:
    group = to.add_argument_group("what comes out")
    group.add_argument(
        "--include", metavar="LIST", help=f"as in the API: {','.join((*INCLUDES, 'figures'))}"
    )
    group.add_argument(
        "--reduction", metavar="|".join(REDUCTIONS), help="how your framework reduces the loss, for reduction_factor"
    )
    group.add_argument("--no-certificate", action="store_true", help="leave the certificates out; sooner")
    group.add_argument("--estimate", action="store_true", help="only say what it would cost in memory and time")
    for form, what in (("json", "the API's answer"), ("csv", "the per-step table")):
        group.add_argument(
            f"--{form}", nargs="?", const="-", metavar="FILE", help=f"{what}, to a file or standard output"
        )
    group.add_argument("--npz", metavar="FILE", help="whole arrays, for numpy.load")
    group.add_argument("--trace", metavar="FILE", help="as a recorded trace, for `unrolled reach`")


def _serve(arguments: argparse.Namespace) -> int:
    from server.serve import serve  # the server's own imports are of no use to the other commands

    flags = ("host", "port", "public")
    given = {name: value for name in flags if (value := getattr(arguments, name)) is not None}
    if arguments.passphrase:
        given["passphrase"] = _passphrase()
    try:
        settings = Settings(**given)
    except ValidationError as error:
        wrong = error.errors(include_url=False)
        raise InputError([_setting(str(item["loc"][0]), item["input"], item["msg"]) for item in wrong]) from None
    return serve(settings, open_browser=not arguments.no_open)


def _passphrase() -> str:
    """Returns what is typed, or piped in; on the command line every user of the machine could read it."""
    if sys.stdin.isatty():
        return getpass.getpass("Passphrase for this server: ")
    return sys.stdin.readline().rstrip("\r\n")


def _train(arguments: argparse.Namespace) -> int:
    from server.train_command import train  # the store and its database are of no use to the other commands

    return train(arguments)


def _setting(name: str, value: object, message: str) -> Problem:
    described = Settings.model_fields[name].description if name in Settings.model_fields else ""
    return Problem(name, shorten(value), message, f"{described} Set it by a flag or by UNROLLED_{name.upper()}.")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command. Returns its exit code: 0 fine, 1 a certificate failed, 2 wrong usage or input."""
    if sys.stdout is None:  # closed by the shell: >&-
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that lacks a character gets its escape
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        arguments, rest = parser().parse_known_args(argv)
        if rest:
            raise InputError(_unknown(rest[0], arguments.command))
        code: int = arguments.run(arguments)
        sys.stdout.flush()
        return code
    except InputError as error:
        return _say(error.problems)
    except RefusedError as error:
        return _say([error.problem])
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the last flush is silent too
        return 0
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return _say([Problem("output", "-", error.strerror or str(error), "Write to a place that takes it.")])
    except KeyboardInterrupt:
        return 130


def _say(problems: Sequence[Problem]) -> int:
    for problem in problems:
        print(f"unrolled: {problem}", file=sys.stderr)
    return 2


def _unknown(argument: str, command: str) -> Problem:
    flags = ["--host", "--port", "--no-open", "--passphrase", "--public"]
    if command in ("reach", "train"):
        flags = traces.FLAGS if command == "reach" else train_flags.FLAGS
    elif command != "serve":
        flags = [f"--{option.name.replace('_', '-')}" for option in OPTIONS] + OWN
    if command == "analyze":
        flags += ["--include", "--reduction", "--no-certificate", "--estimate", "--json", "--csv", "--npz", "--trace"]
    return Problem("argument", shorten(argument), f"unknown to `unrolled {command}`", nearest(argument, flags))


if __name__ == "__main__":
    sys.exit(main())
