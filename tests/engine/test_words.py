"""Sentences: their numbers are the analysis', their grammar holds, and no nan, inf or minus zero is in them."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine import Analysis, Given, analyze, parse
from engine.phrases import change, count, degrees, number, percent, steps_list
from tests.engine.setups import CELL_OPTIONS, STYLE_OPTIONS

SMALL = {"hidden": 5, "batch": 2, "steps": 24, "k": 7}
UGLY = re.compile(r"\b(nan|inf|infinity|None|True|False)\b|-0(?![.\d])|[{}]|  |\.\.|,\.|np\.|array", re.IGNORECASE)
SINGULAR = re.compile(r"(?<![\d.,])1 (steps|degrees|blocks|losses|windows|more steps|gradient blocks)\b")
PLURAL = re.compile(r"(?<![\d.,])([02-9]|\d\d+) (step|degree|gradient block|window)\b(?!s)")
OPTIONS = st.fixed_dictionaries({
    "hidden": st.integers(1, 6), "batch": st.integers(1, 3), "layers": st.integers(1, 3), "steps": st.integers(2, 40),
    "gain": st.sampled_from([0.0, 0.01, 1.0, 4.0, 100.0]), "task": st.sampled_from(["text", "adding", "series"]),
    "loss_at": st.sampled_from(["every", "last"]), "init": st.sampled_from(["uniform", "orthogonal"]),
    "forget_bias": st.sampled_from([-20.0, 1.0, 20.0]), "k": st.integers(1, 45), "k1": st.integers(1, 8),
    "k2": st.integers(8, 45), "style": st.sampled_from(list(STYLE_OPTIONS)),
    "value": st.sampled_from(["carry", "reset"]), "gradient": st.sampled_from(["cut", "pass"]),
    "seed": st.integers(0, 99)})


def sentences(found: Analysis) -> list[str]:
    """Returns every sentence, the templates filled in."""
    w = found.words
    reach = [w.reach.format(s=5, r=3), w.reach_all.format(s=5)]
    return [w.headline, *reach, w.norms, w.credit, w.carry_over, w.costs, w.certificate, *w.questions.values()]


@settings(max_examples=120)
@given(OPTIONS, st.sampled_from(list(CELL_OPTIONS)), st.booleans())
@example({"steps": 2, "k": 1, "hidden": 1, "batch": 1}, "rnn", True)
@example({"steps": 2, "k": 2, "style": "window", "loss_at": "last"}, "gru", True)
@example({"steps": 400, "gain": 0.01, "loss_at": "last", "hidden": 3, "k": 50}, "rnn", True)
def test_sentences_read_well_whatever_the_config(options: dict[str, object], cell: str, credit: bool) -> None:
    found = analyze(parse(options | CELL_OPTIONS[cell]), include=frozenset({"credit"} if credit else ()))
    for sentence in sentences(found):
        check(sentence)
    assert bool(found.words.credit) == credit


def check(sentence: str) -> None:
    for pattern in (UGLY, SINGULAR, PLURAL):
        assert not pattern.search(sentence), f"{pattern.search(sentence).group()!r} in {sentence!r}"
    assert not sentence or sentence[0].isupper()
    assert not sentence or sentence.endswith(".")


@pytest.mark.parametrize("style", ["full", "window"])
@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_sentences_about_an_explosion(cell: str, style: str) -> None:
    gain = {"rnn": 5, "lstm": 20}[cell]
    found = analyze(parse({"cell": cell, "gain": gain, "init": "orthogonal", "hidden": 64, "steps": 1500, "batch": 1,
                           "task": "series", "style": style, "k": 300}))
    assert found.nonfinite.step >= 0
    for sentence in sentences(found):
        check(sentence)


@pytest.mark.parametrize("size", [1e10, 1e155, 1e200, 1e308])
@pytest.mark.parametrize("what", ["W_hy", "l0.W_hh", "l0.W_ih", "inputs", "targets", "initial_state"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_sentences_about_huge_numbers(cell: str, what: str, size: float) -> None:
    config, rng = parse({"cell": cell, **SMALL, "task": "series"}), np.random.default_rng(0)
    shapes = {name: block.shape for name, block in
              analyze(config, include=frozenset({"weights"}), certify=False).weights.items()}
    huge = size * rng.choice([-1.0, 1.0], size=shapes.get(what, (2, 5) if what == "initial_state" else (24, 2, 1)))
    given = {"initial_state": {"l0.h": huge}} if what == "initial_state" else \
        {"weights": {what: huge}} if what in shapes else {what: huge}
    for sentence in sentences(analyze(config, Given(**given))):
        check(sentence)


def test_a_cut_that_leaves_nothing_is_said() -> None:
    found = analyze(parse({**SMALL, "k": 1, "value": "reset"}))
    assert found.truncated.blocks["l0.W_hh"] == 0 < found.full.blocks["l0.W_hh"]
    for sentence in sentences(found):
        check(sentence)


def test_sentences_about_nothing() -> None:
    """Zero weights and inputs: some gradients, or all, are zero."""
    config = parse({**SMALL, "task": "series"})
    blocks = analyze(config, include=frozenset({"weights"}), certify=False).weights
    zero = Given(weights={name: np.zeros(block.shape) for name, block in blocks.items()},
                 inputs=np.zeros((24, 2, 1)), targets=np.zeros((24, 2, 1)))
    found = analyze(config, zero)
    assert found.full.blocks["l0.W_hh"] == 0
    for sentence in sentences(found):
        check(sentence)
    assert "because in full it is zero" in found.words.headline


@pytest.fixture(scope="module")
def window() -> Analysis:
    return analyze(parse(SMALL))


def test_the_headline_is_the_last_losss_reach_and_the_kept_share(window: Analysis) -> None:
    block = window.costs.blocks["l0.W_hh"]
    assert window.words.headline == (
        f"The loss at step 23 reaches step {window.plan.reach[23]} and no further. "
        f"Truncation keeps {percent(block.kept)} of the gradient of W_hh and turns it by {degrees(block.angle)}.")
    assert window.plan.reach[23] == 21


def test_two_layers_are_spoken_of_as_a_whole() -> None:
    found = analyze(parse({**SMALL, "layers": 2}))
    assert f"{percent(found.costs.whole.kept)} of the whole gradient" in found.words.headline


def test_norms_names_the_step_that_loses_most(window: Analysis) -> None:
    part, whole = (np.hypot(norms.h, norms.c) for norms in (window.truncated, window.full))
    t = int((part / whole).argmin())
    assert f"at step {t}: a gradient of norm {number(part[t])}" in window.words.norms
    assert window.words.norms.rstrip(". ").endswith(number(whole[t]))


def test_credit_is_the_last_row_of_the_matrix(window: Analysis) -> None:
    row = window.credit.h[-1]
    assert f"goes from {number(row[23])} at its own step to {number(row[0])} at step 0" in window.words.credit
    assert f"{change(row[23], row[0])} over 23 steps" in window.words.credit


def test_carry_over_gives_the_mean_distance_and_the_median_half_life(window: Analysis) -> None:
    over = window.carry_over
    text = window.words.carry_over
    assert text.startswith(f"A state reset at steps 7, 14 and 21 is {number(over.start_distance.mean())} away")
    middle = np.median(np.where(over.half_life > 0, over.half_life, np.inf))
    if np.isinf(middle):
        assert "has not halved when the window ends" in text
    else:
        assert f"it takes {count(int(np.ceil(middle)), 'step')} until half" in text


def test_windows_that_never_halve_count_in_the_median() -> None:
    found = analyze(parse({"task": "lagged_bits", "k": 3}))
    half_life = found.carry_over.half_life
    never = int((half_life < 0).sum())
    assert f"in {never} of {len(half_life)} windows the difference has not halved" in found.words.carry_over


@pytest.mark.parametrize(("options", "true", "false"), [
    ({"style": "random", "p": 0.05, "steps": 2}, "relative error", "Nothing is cut"),
    ({"value": "reset"}, "Truncation together with the reset", "came in as a number"),
    ({"style": "sliding"}, "the program that does it must arrange", "stops at these edges"),
    ({"style": "k1k2", "k1": 5, "k2": 10}, "must arrange", "stops at these edges"),
    ({"gradient": "pass"}, "Nothing is cut", "stops at these edges"),
    ({"style": "random", "p": 0.1, "value": "reset"}, "its own steps", "came in as a number")], ids=str)
def test_sentences_hold_for_the_style_at_hand(options: dict[str, object], true: str, false: str) -> None:
    words = analyze(parse(options)).words
    text = " ".join([words.headline, words.norms, words.carry_over, words.costs, *words.questions.values()])
    assert true in text
    assert false not in text


def test_almost_all_is_not_all() -> None:
    assert percent(0.9974) == "99.7 %"
    assert percent(0.99996) == "99.996 %"
    assert percent(1.0) == "100 %"
    assert percent(1 - 1e-9) == "almost 100 %"


def test_costs_are_of_the_whole_and_of_the_worst_block(window: Analysis) -> None:
    whole = window.costs.whole
    worst = max(window.costs.blocks, key=lambda name: window.costs.blocks[name].relative_error)
    for part in (f"cosine {whole.cosine:.3f}", percent(whole.relative_error), percent(whole.kept),
                 f"Hit hardest is {worst}: relative error {percent(window.costs.blocks[worst].relative_error)}"):
        assert part in window.words.costs


def test_the_certificate_gives_the_worst_error(window: Analysis) -> None:
    worst = max(window.certificate.worst, window.certificate_full.worst)
    assert window.words.certificate.startswith("Certified: 6 gradient blocks")
    assert f"{worst:.0e}" in window.words.certificate
    left_out = analyze(parse(SMALL), certify=False)
    assert left_out.certificate is left_out.certificate_full is None
    assert left_out.words.certificate.startswith("Not checked")


def test_a_failure_is_shouted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["engine.certify"], "TOLERANCE", 1e-30)
    assert analyze(parse(SMALL)).words.certificate.startswith("NOT certified")


def test_questions_carry_their_numbers(window: Analysis) -> None:
    answers, over = window.words.questions, window.carry_over
    assert "goes back 2 steps, to step 21" in answers["autodiff"]
    assert f"{percent(window.costs.blocks['l0.W_hh'].kept)} of the gradient of W_hh is left" in answers["autodiff"]
    assert number(over.start_distance.mean()) in answers["carry"]
    for name in ("carry", "outputs"):
        assert f"{over.total_carried / 24:.4g} nats carried and {over.total_reset / 24:.4g} reset" in answers[name]
    assert "steps 7, 14 and 21" in answers["outputs"]


def test_nothing_cut_says_so_and_why() -> None:
    assert analyze(parse({**SMALL, "style": "full"})).words.headline.endswith("Nothing is cut: this is full BPTT.")
    assert "k = 30 is not less than T = 24" in analyze(parse({**SMALL, "k": 30})).words.headline
    passed = analyze(parse({**SMALL, "gradient": "pass"})).words
    assert "Nothing is cut" in passed.headline
    assert "reaches all the way back to step 0" in passed.headline


@pytest.mark.parametrize(("x", "text"), [(0, "0"), (1, "1"), (0.123456, "0.123"), (12.3456, "12.3"), (999.0, "999"),
                                         (1234.5, "1,230"), (9999.0, "10,000"), (1e-5, "1.0e-05"), (2.345e8, "2.3e+08"),
                                         (1e-320, "1.0e-320")])
def test_number(x: float, text: str) -> None:
    assert number(x) == text


@pytest.mark.parametrize(("x", "text"), [(0, "0 %"), (-0.0, "0 %"), (1, "100 %"), (0.314, "31 %"),
                                         (0.0314, "3.1 %"), (-0.5, "-50 %"),
                                         (0.00012, "0.01 %"), (12.5, "1,250 %")])
def test_percent(x: float, text: str) -> None:
    assert percent(x) == text


@given(st.floats(-1e3, 1e3))
def test_a_share_that_is_not_zero_is_never_shown_as_zero(x: float) -> None:
    shown = float(percent(x).removesuffix(" %").replace(",", ""))
    assert (shown == 0) == (100 * x == 0)


@pytest.mark.parametrize(("before", "after", "text"), [
    (1, 1.08, "grows by 8.0 %"), (1.08, 1, "shrinks by 7.4 %"), (1, 12, "grows by a factor of 12"),
    (12, 1, "shrinks by a factor of 12"), (1.4, 1, "shrinks by 29 %"), (1, 1e300, "grows by a factor of 1.0e+300")])
def test_change(before: float, after: float, text: str) -> None:
    assert change(before, after) == text


def test_counts_degrees_and_lists() -> None:
    assert (count(0, "step"), count(1, "step"), count(2, "step")) == ("0 steps", "1 step", "2 steps")
    assert [degrees(a) for a in (0.0, 0.2, 0.9, 1.4, 24.3)] == [
        "0 degrees", "less than a degree", "1 degree", "1 degree", "24 degrees"]
    assert steps_list([7]) == "step 7"
    assert steps_list([7, 9]) == "steps 7 and 9"
    assert steps_list([1, 2, 3]) == "steps 1, 2 and 3"
    assert steps_list(range(9)) == "steps 0, 1, 2 and 6 more"
