"""What the documentation says is so: its examples run, and its tables name what exists, all of it."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import pytest
from fastapi.routing import iter_route_contexts

from engine import OPTIONS, Analysis, Option
from scripts import tables
from scripts.running import running
from server import openapi
from server.app import create_app
from server.cli import parser
from server.figures import FIGURES
from server.schemas import INCLUDES, AnalysisRequest
from server.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")),
         *sorted(ROOT.glob("docs/*.md"))]
TEXT = {page: page.read_text(encoding="utf-8") for page in PAGES}
API = TEXT[ROOT / "docs/api.md"]
ADDRESS = "http://127.0.0.1:8000"
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Example:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def examples(*languages: str) -> list[Example]:
    """Returns the fenced blocks in these languages, of all pages."""
    fence = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [Example(page, text[:match.start()].count("\n") + 1, match[1], match[2])
            for page, text in TEXT.items() for match in fence.finditer(text) if match[1] in languages]


def commands(first: str) -> list[str]:
    """Returns each line of the shell examples that begins with this word, without its comment."""
    lines = [line.partition("  #")[0] for example in examples("sh") for line in example.text.splitlines()]
    return list(dict.fromkeys(line.strip() for line in lines if line.startswith(f"{first} ")))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of the real server, as `python -m server` starts it."""
    with running() as address:
        yield address


def ask(request: urllib.request.Request) -> tuple[int, str, bytes]:
    """Returns status, media type and body."""
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers.get_content_type(), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get_content_type(), error.read()


@pytest.mark.parametrize("example", examples("python"), ids=str)
def test_python_examples_run(example: Example, server: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example.text.replace(ADDRESS, server), str(example), "exec"), {"__name__": "example"})
    assert printed.getvalue().strip()


@pytest.mark.parametrize("example", examples("http"), ids=str)
def test_http_examples_are_answered(example: Example, server: str) -> None:
    """A request, its headers, a blank line and its body; or after the request the status that it gets."""
    head, _, body = example.text.partition("\n\n")
    (method, path), *rest = [line.split(maxsplit=1) for line in head.strip().splitlines()]
    expected = next((int(line[0]) for line in rest if line[0].isdigit()), 200)
    headers = {line[0].removesuffix(":"): line[1] for line in rest if line[0].endswith(":")}
    request = urllib.request.Request(server + path, body.encode() or None, headers, method=method)
    status, kind, answer = ask(request)
    assert status == expected, answer[:500]
    assert kind in ("application/json", "application/problem+json")
    json.loads(answer)


@pytest.mark.parametrize("line", commands("curl"))
def test_curl_examples_are_answered(line: str, server: str) -> None:
    words = iter(shlex.split(line)[1:])
    headers, url = {}, ""
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-o":
            next(words)
        else:
            url = word
    assert url.startswith(ADDRESS)
    status, kind, answer = ask(urllib.request.Request(url.replace(ADDRESS, server), headers=headers))
    assert status == 200, answer[:500]
    assert kind == headers.get("Accept", "application/json")


@pytest.mark.parametrize("line", commands("unrolled"))
def test_command_examples_run(line: str, tmp_path: Path) -> None:
    done = subprocess.run([str(BIN / "unrolled"), *shlex.split(line)[1:]], cwd=tmp_path, capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() or any(tmp_path.iterdir())


@pytest.mark.parametrize("line", sorted({*commands("make"), *re.findall(r"`(make \w+)`", "\n".join(TEXT.values()))}))
def test_make_targets_exist(line: str) -> None:
    targets = re.findall(r"^([a-z -]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert line.split()[1] in " ".join(targets).split()


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_option_is_documented(option: Option) -> None:
    assert tables.option_row(option) in API.splitlines(), "python -m scripts.tables writes the tables anew"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    assert tables.setting_row(name) in API.splitlines(), "python -m scripts.tables writes the tables anew"


def test_the_tables_have_no_other_rows() -> None:
    assert tables.written(API) == API
    page = TEXT[tables.CONVENTIONS_PAGE]
    assert tables.written_conventions(page) == page, "python -m scripts.tables writes the tables anew"


def test_every_option_of_a_training_run_is_documented() -> None:
    page = TEXT[tables.TRAINING_PAGE]
    assert tables.written_training(page) == page, "python -m scripts.tables writes the tables anew"


def test_every_setting_named_in_the_documentation_exists() -> None:
    named = set(re.findall(r"`UNROLLED_(\w+)`", "\n".join(TEXT.values())))
    assert named == {name.upper() for name in Settings.model_fields}


def routes() -> set[str]:
    """Returns the server's routes as docs/api.md writes them; the page's own files are no part of the API."""
    found = {f"{method} {re.sub(r':[a-z]+}', '}', route.path or '')}"
             for route in iter_route_contexts(create_app().routes)
             for method in (route.methods or ()) if method not in ("HEAD", "OPTIONS")}
    return {route for route in found if not re.search(r"/static|/vendor/|favicon", route)}


def test_every_route_is_documented_and_exists() -> None:
    table = API[API.index("## Routes"):API.index("## Analysis")]
    assert set(re.findall(r"`((?:GET|POST|DELETE|PUT) /\S*)`", table)) == routes()


def test_every_status_is_documented() -> None:
    """Those of the OpenAPI description; 401 is for a server with a passphrase, 404 and 405 are for addresses that it
    does not have, 409 and 507 for training runs alone, 500 for our own faults."""
    table = API[API.index("## Errors"):API.index("## The command")]
    documented = {int(code) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE) for code in row.split(",")}
    assert documented == (openapi.ERRORS | openapi.BODY_ERRORS).keys() | {401, 404, 405, 409, 507}


def test_every_field_of_question_and_answer_is_documented() -> None:
    section = set(re.findall(r"`(\w+)`", API[API.index("## Analysis"):API.index("## Representations")]))
    assert section >= {field.name for field in fields(Analysis)}
    assert section >= {*AnalysisRequest.model_fields, *INCLUDES}
    assert set(FIGURES) <= set(re.findall(r"`(\w+)`", API[API.index("## Other routes"):API.index("## Errors")]))


def test_every_flag_named_in_the_documentation_exists() -> None:
    section = API[API.index("## The command"):]
    subparsers = next(action.choices for action in parser()._actions if isinstance(action.choices, dict))
    known = {flag for command in subparsers.values() for flag in command._option_string_actions}
    assert set(re.findall(r"(?<![\w-])--[a-z][\w-]*", section)) <= known
    missing = {f"--{option.name.replace('_', '-')}" for option in OPTIONS} - known
    assert not missing


@pytest.mark.parametrize("document", PAGES, ids=lambda document: str(document.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", TEXT[document])
    broken = [target for target in targets if not re.match(r"[a-z]+:", target)
              and not (document.parent / target).exists()]
    assert not broken


@pytest.mark.parametrize("document", PAGES, ids=lambda document: str(document.relative_to(ROOT)))
def test_files_named_in_the_documentation_exist(document: Path) -> None:
    rooms = "engine|server|static|templates|tests|scripts|benchmarks|docs"
    named = re.findall(rf"`((?:{rooms})/[\w./-]*)`", TEXT[document])
    assert not [name for name in named if not (ROOT / name).exists()]


def test_the_changelog_names_the_version() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert f"## {version[1]}" in TEXT[ROOT / "CHANGELOG.md"]
