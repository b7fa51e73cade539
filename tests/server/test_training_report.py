"""The report of a run: whole, escaped, and without an address to load anything from."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from engine.training import LAB_OPTIONS
from server.training_report import report
from server.version import RELEASE, fingerprint
from tests.server.made_runs import LAB, RUNS, run

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7 * 7 }} & \u2028"


def outside_scripts(text: str) -> str:
    return re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("name", RUNS)
def test_every_run_has_a_report_with_its_config_seeds_versions_and_verdict(name: str) -> None:
    text = outside_scripts(report(RUNS[name]))
    assert all(f"<td>{option.name}</td>" in text for option in LAB_OPTIONS
               if option.applies(RUNS[name].lab) and option.name not in ("seed", "seeds"))
    assert "<td>0, 1</td>" in text
    assert f"Unrolled {RELEASE}" in text
    assert fingerprint() in text
    found = RUNS[name].verdict
    assert (found.headline if found else "There is no verdict yet") in text


def test_what_is_not_over_is_called_preliminary() -> None:
    assert "Preliminary verdict" in report(RUNS["half-way"])
    assert "Preliminary verdict" not in report(RUNS["done"])


def test_all_that_a_person_wrote_is_escaped() -> None:
    view = run(replace(LAB, text=HOSTILE * 3))
    lanes = tuple(replace(lane, moments=tuple(replace(m, sample=HOSTILE) for m in lane.moments)) for lane in view.lanes)
    text = outside_scripts(report(replace(view, lanes=lanes), HOSTILE))
    assert "<img" not in text
    assert "alert(1)&lt;/script&gt;" in text
    assert "{{ 7 * 7 }}" in text


def test_a_long_text_is_shortened_and_says_so() -> None:
    text = report(run(replace(LAB, text="abcdefghij" * 1000)))
    assert "and 8,000 characters more" in text
    assert "abcdefghij" * 201 not in text


def test_a_changed_learning_rate_is_said() -> None:
    assert "Set by hand while it ran, from 5,000 tokens on" in report(replace(RUNS["done"], rates=((5000, 0.5),)))


def test_every_picture_has_its_figure_and_its_table() -> None:
    text = report(RUNS["done"])
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', text, re.DOTALL)
    assert found
    figures = json.loads(found[1])
    assert set(figures) == set(re.findall(r'data-figure="(\w+)"', text))
    assert text.count("<details>") == len(figures)


def test_nothing_is_loaded_from_anywhere() -> None:
    text = outside_scripts(report(RUNS["done"]))
    assert not re.search(r"""\b(src|href|action|data)\s*=\s*["']?(https?:)?//""", text)
    assert not re.search(r"@import|url\((?!data:)", text)
    assert "default-src 'none'" in text
