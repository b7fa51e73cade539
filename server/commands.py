"""What `unrolled analyze` and `unrolled certify` do: the same questions and answers as the API's."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import engine
from engine import OPTION, Certificate, as_query, parse, read_arrays
from engine.errors import refuse
from engine.recorded import trace_of, write_trace
from server import conventions, strict, work
from server.problems import RefusedError
from server.queries import Query, read_value
from server.schemas import AnalysisRequest
from server.settings import MIB, Settings
from server.summary import certificates, summary

FLAG = "config."  # before the name of an option's flag among the parsed arguments
FORMS = (("json", work.JSON), ("csv", work.CSV), ("npz", work.NPZ))
GIVEN = ("weights", "initial_state")
MOST_CONFIG_BYTES = 256 * MIB
MOST_WEIGHTS_BYTES = 128 * MIB
WORTH_SAYING = 2.0  # seconds
MOST_TEXT_BYTES = 4 * int(OPTION["text"].high or 0)


def analyze(arguments: argparse.Namespace) -> int:
    """Prints a summary, or writes the answer in the forms that were asked for."""
    forms = [(media, getattr(arguments, form)) for form, media in FORMS if getattr(arguments, form)]
    if [target for _, target in forms].count("-") > 1:
        raise refuse("output", "-", "takes one form at a time", "Give --json or --csv the name of a file.")
    query = _query(arguments)
    cost = engine.check_affordable(query.config, query.include, query.certificate)
    said = f"about {max(1, round(cost.bytes / MIB))} MiB of memory and {max(0.1, cost.seconds):.1f} s"
    if arguments.estimate:
        print(f"Needs {said}.")
        return 0
    if cost.seconds > WORTH_SAYING:
        print(f"unrolled: this takes {said}", file=sys.stderr)
    found, engine_ms = work.timed(query)
    for media, target in forms:
        write(work.encode(query, found, media, engine_ms), target)
    if arguments.trace:
        write(write_trace(*trace_of(found)), arguments.trace)
    if not forms and not arguments.trace:
        print(summary(found))
    return _verdict(found.certificate, found.certificate_full)


def certify(arguments: argparse.Namespace) -> int:
    """Prints every block's two derivatives."""
    found = work.certificate(_query(arguments))
    print(certificates(found["certificate"], found["certificate_full"], found["sentence"]))
    return _verdict(found["certificate"], found["certificate_full"])


def _verdict(*found: Certificate | None) -> int:
    return 1 if any(certificate is not None and certificate.status == "failed" for certificate in found) else 0


def _query(arguments: argparse.Namespace) -> Query:
    """Returns the query of the config file and of the flags, which override it."""
    value = _config_file(arguments.config) if arguments.config else {}
    flags = {
        name.removeprefix(FLAG): text
        for name, text in vars(arguments).items()
        if name.startswith(FLAG) and text is not None
    }
    if arguments.text_file:
        flags["text"] = read(arguments.text_file, "text-file", MOST_TEXT_BYTES)
        if not flags["text"]:
            raise refuse("text-file", arguments.text_file, "is empty", "Name a file with text, or leave the flag out.")
    if getattr(arguments, "include", None) is not None:
        value["include"] = [name.strip() for name in arguments.include.split(",") if name.strip()]
    if getattr(arguments, "no_certificate", False):
        value["certificate"] = False
    named = {name: getattr(arguments, name, None) for name in ("convention", "reduction")}
    query = read_value("analysis", value | {name: text for name, text in named.items() if text is not None}, flags)
    return _with_files(query, arguments, {*value.get("config", {}), *flags})


def _with_files(query: Query, arguments: argparse.Namespace, chosen: set[str]) -> Query:
    """Returns the query with the arrays of the files that were named; what was not chosen has the file's size."""
    for name in GIVEN:
        if file := getattr(arguments, name):
            content = _bytes(file, name, MOST_WEIGHTS_BYTES)
            with conventions.inside(name):
                arrays = read_arrays(content, Path(file).name)
            query = replace(query, given={**query.given, name: arrays})
    if arguments.weights:
        found = conventions.blocks(query.convention, query.config, query.given["weights"])
        sizes = {name: size for name, size in conventions.sizes(query.config, found).items() if name not in chosen}
        query = replace(query, config=parse({**as_query(query.config), **sizes}))
    return query


def _config_file(name: str) -> dict[str, Any]:
    """Returns what POST takes; a file that holds a config alone is that config."""
    try:
        value = strict.loads(read(name, "config", MOST_CONFIG_BYTES).encode(), Settings().json_depth)
    except RefusedError as error:  # what the API calls the body is this file
        said = error.problem
        raise refuse("config", name, f"{said.limit} ({said.value})", said.remedy) from None
    if not isinstance(value, dict):
        raise refuse("config", name, "must hold a JSON object", 'For example {"cell": "gru", "k": 10}.')
    return value if value.keys() & AnalysisRequest.model_fields.keys() else {"config": value}


def read(name: str, flag: str, most: int) -> str:
    """Returns the text of a file that the person named, without a byte order mark."""
    content = _bytes(name, flag, most)
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise refuse(flag, name, f"must be text in UTF-8; byte {error.start} is not", "Convert it to UTF-8.") from None


def _bytes(name: str, flag: str, most: int) -> bytes:
    try:
        with Path(name).open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise refuse(flag, name, error.strerror or str(error), "Name a file that can be read.") from None
    if len(content) > most:
        raise refuse(flag, name, f"must have at most {most} bytes", "Take a shorter part of it.")
    return content


def write(content: bytes, target: str) -> None:
    """Writes to a file, or to standard output where the target is "-"."""
    if target == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        return
    try:
        Path(target).write_bytes(content)
    except OSError as error:
        raise refuse("output", target, error.strerror or str(error), "Name a file that can be written.") from None
