"""The finder: real messages and loops find their exhibit first, innocent ones find none, hostile ones cost little."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import InputError
from engine.museum import BUGS
from engine.museum.finder import MOST_FOUND, find
from engine.museum.source import MOST_CHARACTERS, read
from tests.engine.museum_texts import INNOCENT, LOOPS, MESSAGES

PROGRAMS = Path(__file__).resolve().parents[2] / "templates/museum"
SECONDS = 1.0  # for hostile text; ordinary text takes some milliseconds


def names(text: str) -> list[str]:
    return [suspect.name for suspect in find(text).suspects]


@pytest.mark.parametrize("name", BUGS)
def test_a_broken_program_finds_its_exhibit_first_and_the_mended_one_does_not(name: str) -> None:
    broken, mended = ((PROGRAMS / f"{name}.{kind}.py.txt").read_text() for kind in ("broken", "mended"))
    assert names(broken)[:1] == [name]
    assert name not in names(mended)


@pytest.mark.parametrize(("name", "text"), MESSAGES)
def test_a_message_finds_its_exhibit_first(name: str, text: str) -> None:
    assert names(text)[:1] == [name]


@pytest.mark.parametrize("name", [bug.name for bug in BUGS.values() if bug.error])
def test_the_error_text_of_an_exhibit_leads_back_to_it(name: str) -> None:
    trace = f"Traceback (most recent call last):\n    out, hidden = lstm(x, hidden)\n{BUGS[name].error}"
    assert name in names(trace)


@pytest.mark.parametrize(("name", "text", "reason"), LOOPS)
def test_a_loop_finds_its_exhibit_first_and_says_why(name: str, text: str, reason: str) -> None:
    [first, *_] = find(text).suspects
    assert first.name == name
    assert reason in " ".join(first.reasons)


@pytest.mark.parametrize("text", INNOCENT)
def test_innocent_text_finds_none_and_says_so(text: str) -> None:
    found = find(text)
    assert found.suspects == ()
    assert found.sentence.startswith("No exhibit here fits")


def test_the_reason_names_what_is_cut_and_what_is_not() -> None:
    text = "for x, y in loader:\n    h = h.detach()\n    out, (h, c) = lstm(x, (h, c))\n    crit(out, y).backward()\n"
    [first, *_] = find(text).suspects
    assert first.likely
    assert first.reasons[0].startswith("Your loop detaches `h` but not `c`")


def test_a_message_alone_is_possible_and_with_its_loop_likely() -> None:
    message = "RuntimeError: Trying to backward through the graph a second time"
    loop = "for x, y in batches:\n    out, h = rnn(x, h)\n    loss(out, y).backward()\n"
    alone, both = find(message).suspects[0], find(f"{loop}\n{message}").suspects[0]
    assert (alone.name, alone.likely) == ("no_detach", False)
    assert (both.name, both.likely) == ("no_detach", True)
    assert len(both.reasons) == 2


HOSTILE = [
    "(" * MOST_CHARACTERS, "a" * MOST_CHARACTERS, "\n" * (MOST_CHARACTERS - 1) + "x", '"' * MOST_CHARACTERS,
    "for x in y:\n" * 1_600, "\0\x1b[31m" * 3_000, "h = " * 5_000, "h, c = f(h, c)\n" * 1_300,
    "".join(f"{' ' * (n % 60)}for i in range({n}):\n" for n in range(400)), "\N{ZERO WIDTH JOINER}" * 20_000,
    "state.grad " * 1_800, "retain_graph" + " out of memor" * 1_500, "shuffl stateful " * 1_200,
    "x[" + ":" * 19_000, "range(" + " " * 19_000, "prod(" * 4_000, "(1 -" * 5_000, "\\" * MOST_CHARACTERS,
    "for i in x:\n" + "    h = rnn(h)\n    loss.backward()\n" * 500, "'''" + '"""' * 6_000,
    "\udcff" * 10, "d_i = " + "*" * 10_000, "num_layers=" + "num_" * 4_000, "x" + "\r\n\t" * 6_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_read_in_bounded_time(text: str) -> None:
    begun = time.perf_counter()
    found = find(text[:MOST_CHARACTERS])
    assert time.perf_counter() - begun < SECONDS
    assert len(found.suspects) <= MOST_FOUND
    assert all(len(reason) < 700 for suspect in found.suspects for reason in suspect.reasons)


PIECES = st.sampled_from([
    "for x in y:\n", "    ", "h, c = f(h, c)\n", "loss.backward()\n", "(", ")", "'", '"""', "retain_graph=True",
    "num_steps", "range(", "// ", "stateful ", "= states[", "].grad", "shuffle=True", "#", "\\", "\t"])


@settings(deadline=None, max_examples=60)
@given(st.one_of(st.text(max_size=400), st.lists(PIECES, max_size=200).map("".join)))
def test_any_text_is_answered(text: str) -> None:
    found = find(f"x{text}")
    assert {suspect.name for suspect in found.suspects} <= set(BUGS)
    assert all(suspect.reasons for suspect in found.suspects)
    assert found.sentence.endswith(".")


@pytest.mark.parametrize("text", ["", "  \n\t", "x" * (MOST_CHARACTERS + 1)])
def test_nothing_and_too_much_are_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(InputError) as caught:
        find(text)
    [problem] = caught.value.problems
    assert problem.field == "text"
    assert problem.remedy


def test_nothing_that_is_pasted_is_run(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    find(f"__import__('pathlib').Path({str(canary)!r}).touch()\nfor h in [open({str(canary)!r}, 'w')]:\n    pass\n")
    assert not canary.exists()


def test_lines_are_joined_and_comments_and_prompts_are_taken_off() -> None:
    source = read('>>> out, h = rnn(x,  # the state\n...              h)\n"""h = h.detach()"""\n# h = h.detach()\n')
    assert [line.code for line in source.lines] == ["out, h = rnn(x, h)"]


def test_the_lines_of_a_stack_trace_keep_their_order() -> None:
    source = read('  File "a.py", line 3, in <module>\n---> 12     loss.backward()\n')
    assert [line.code for line in source.lines] == ['File "a.py", line 3, in <module>', "loss.backward()"]
