"""Small parts by themselves: negotiation, strict JSON, the cache, settings."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine import InputError
from server import strict
from server.cache import Cache
from server.figures.base import plain
from server.negotiation import has_it, media_type, takes_gzip
from server.problems import RefusedError
from server.queries import read_value
from server.settings import Settings, limits

OFFERED = ("application/json", "text/csv", "application/x-npz")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("text/csv", "text/csv"),
        ("TEXT/CSV; charset=utf-8", "text/csv"),
        ("text/*", "text/csv"),
        ("application/json;q=0.1, text/csv;q=0.9", "text/csv"),
        ("application/json;q=0, */*", "text/csv"),
        ("application/x-npz;q=nonsense, text/csv;q=0.5", "text/csv"),
    ],
)
def test_the_form_that_a_client_likes_best(accept: str | None, chosen: str) -> None:
    assert media_type(accept, OFFERED) == chosen


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0", "*/*;q=0", "json"])
def test_a_form_that_there_is_not(accept: str) -> None:
    with pytest.raises(RefusedError) as refused:
        media_type(accept, OFFERED)
    assert refused.value.status == 406


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("*", True),
        ("br", False),
        ("gzip;q=0, *", False),
    ],
)
def test_who_takes_gzip(header: str | None, taken: bool) -> None:
    assert takes_gzip(header) is taken


def test_who_has_it() -> None:
    assert has_it('W/"a", "b"', '"a"')
    assert has_it("*", '"a"')
    assert not has_it(None, '"a"')
    assert not has_it('"ab"', '"a"')


def test_json_is_read_as_it_stands() -> None:
    text = '{"a": [1, -0.0, 1e-300, "x\\u00e9\\"[{", true, null], "b": {}}'
    assert strict.loads(text.encode(), 4) == {"a": [1, -0.0, 1e-300, 'xé"[{', True, None], "b": {}}


@pytest.mark.parametrize(
    ("text", "depth"),
    [(b"1", 0), (b"[]", 1), (b'["[[["]', 1), (b'[{"a":[]}]', 3), (b'"\\"[["', 0), (b"[[],[[1]],{}]", 3), (b"]][[", 2),
     (b'["\\\\",[{}]]', 3), (b'["a]",{"[":"}"},[[[]]]]', 4)],
)  # fmt: skip
def test_how_deep_json_nests(text: bytes, depth: int) -> None:
    brackets = strict.only_brackets(text)
    assert not strict.deeper(brackets, depth)
    assert depth == 0 or strict.deeper(brackets, depth - 1)


@given(st.recursive(st.sampled_from(["[", '"', '\\"', 1, None]),
                    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["a:", "{", '":"', "\\"]), inner)))
def test_depth_and_names_are_those_of_the_value(value: Any) -> None:
    depth, names, lists = _measured(value)
    text = json.dumps(value).encode()
    brackets = strict.only_brackets(text)
    assert brackets.count(b"[") == lists
    assert not strict.deeper(brackets, depth)
    assert depth == 0 or strict.deeper(brackets, depth - 1)
    with patch.object(strict, "MOST_NAMES", names):
        assert not strict.many_names(text)
    with patch.object(strict, "MOST_NAMES", names - 1):
        assert names == 0 or strict.many_names(text)


def _measured(value: Any) -> tuple[int, int, int]:
    """Returns how deep a value nests, how many names it has, and how many lists and objects it is made of."""
    if not isinstance(value, (list, dict)):
        return 0, 0, 0
    inner = [_measured(one) for one in (value.values() if isinstance(value, dict) else value)]
    depths, names, lists = zip(*inner, strict=True) if inner else ((0,), (0,), (0,))
    return 1 + max(depths), sum(names) + (len(value) if isinstance(value, dict) else 0), 1 + sum(lists)


HOSTILE = (b'"' + b'\\"' * 10**6, b'"a" ' * 500_000, b"[" * 2_000_000, b'"\\', b"[]," * 700_000, b"[]][" * 500_000,
           b"[" * 10**6 + b"]" * 10**6, b'"' * 2_000_000, b'"' + b"\\" * 2_000_001, b'"":' * 600_000)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_measured_in_linear_time(text: bytes) -> None:
    begun = time.process_time()
    strict.deeper(strict.only_brackets(text), 16)
    strict.many_names(text)
    assert time.process_time() - begun < 2


def names(count: int) -> str:
    return ",".join(f'"{i}": 1' for i in range(count))


REFUSED = {
    f'{{{names(1023)}, "7": 2}}': "is given more than once",
    f"[{{{names(1025)}}}]": "over 1024 names",
    "[[[[[1]]]]]": "nested over 4 deep: must be nested at most 4 deep",
    "[" + "[]," * 262_143 + "[]]": "over 262144 lists: must have at most 262144 lists",
    "[NaN]": "RFC 8259.*The parser says: ",
    "[Infinity]": "RFC 8259.*The parser says: ",
    '{"a": -Infinity}': "RFC 8259.*The parser says: ",
    '["\\ud800"]': "RFC 8259.*The parser says: ",
    "[1,]": "RFC 8259.*The parser says: ",
    "": "RFC 8259.*The parser says: ",
}


@pytest.mark.parametrize(("text", "said"), REFUSED.items(), ids=map(str, range(len(REFUSED))))
def test_json_that_is_refused(text: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said) as refused:
        strict.loads(text.encode(), 4)
    assert refused.value.status == 400


def test_json_that_is_as_much_as_there_may_be() -> None:
    assert len(strict.loads(f"{{{names(1024)}}}".encode(), 4)) == 1024
    assert len(strict.loads(b"[" + b"[]," * 262_142 + b"[]]", 4)) == 262_143
    assert strict.loads(b"[[[[1]]]]", 4) == [[[[1]]]]


def test_a_whole_number_may_be_written_with_a_point() -> None:
    """As JSON Schema has it, and JavaScript writes it; text, truth and parts of a step are none."""
    assert read_value("analysis", {"loss": 7.0}).loss == 7
    shown = read_value("closeup", {"config": {"steps": 9.0}, "from": 3.0, "to": 5.0})
    assert (shown.config.steps, shown.first, shown.end) == (9, 3, 5)
    for wrong in (7.5, "7", True, -1.0, 1e6):
        with pytest.raises(InputError, match="loss"):
            read_value("analysis", {"loss": wrong})


@dataclass
class Kept:
    body: bytes


def test_the_cache_keeps_what_was_used_last_within_its_bytes() -> None:
    cache: Cache[Kept] = Cache(100)
    for name in "abcd":
        cache.put(name, Kept(b"x" * 25))
    assert cache.get("a") is not None
    cache.put("e", Kept(b"x" * 25))
    assert cache.get("b") is None
    assert cache.get("a") is not None
    assert cache.size == 100
    cache.put("large", Kept(b"x" * 26))
    assert cache.get("large") is None
    cache.put("a", Kept(b""))
    assert cache.size == 100


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLLED_WORKERS", "3")
    monkeypatch.setenv("UNROLLED_ALLOWED_HOSTS", "a.example, B.example,")
    settings = Settings()
    assert settings.workers == 3
    assert settings.allowed_hosts == ("a.example", "b.example")
    assert limits(settings)["workers"]["value"] == 3
    monkeypatch.setenv("UNROLLED_WORKERS", "0")
    with pytest.raises(ValidationError):
        Settings()


def test_every_setting_is_explained() -> None:
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (-0.125, "−0.125"), (0.05, "0.05"), (1, "1"), (2500, "2500"), (10_000, "10⁴"), (-5e12, "−5·10¹²"),
     (2.5e300, "2.5·10³⁰⁰"), (1e308, "10³⁰⁸")],
)
def test_what_a_tick_says(value: float, words: str) -> None:
    assert plain(value) == words
