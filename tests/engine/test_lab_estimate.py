"""What a lab is said to take, against what its lanes do take; and the limits, with by how much."""

from __future__ import annotations

import gc
import time
import tracemalloc

import pytest

from engine import LAB_PRESETS, InputError, Lab, LabPreset, Strategy, estimate_lab, parse_lab
from engine.training import Lane, corpus_of

LABS = {
    "window": parse_lab({"tokens": 20_000, "strategies": [{"k": 20}], "seeds": 1, "evaluations": 2}),
    "wide": parse_lab({"tokens": 8_000, "strategies": [{"k": 20}], "seeds": 1, "hidden": 256, "evaluations": 1}),
    "words": parse_lab({"tokens": 8_000, "strategies": [{"k": 20}], "seeds": 1, "vocabulary": "word", "embedding": 32,
                        "evaluations": 1, "batch": 8}),
    "sliding": parse_lab({"tokens": 8_000, "strategies": [{"style": "sliding", "k": 8}], "seeds": 1, "evaluations": 1}),
    "sequences": parse_lab({"tokens": 30_000, "strategies": [{"style": "full"}], "seeds": 1, "task": "adding",
                            "steps": 100, "update": "sequence", "evaluations": 1}),
}


@pytest.mark.parametrize("name", LABS)
def test_the_bytes_are_an_upper_bound_and_not_far_off(name: str) -> None:
    lab = LABS[name]
    corpus = corpus_of(lab)
    gc.collect()
    tracemalloc.start()
    try:
        for _ in Lane(lab, 0, 0, corpus):
            pass
        measured = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 0.9 < estimate_lab(lab).bytes / measured < 6


@pytest.mark.parametrize("name", LABS)
def test_the_seconds_are_of_the_right_size(name: str) -> None:
    lab = LABS[name]
    corpus, start = corpus_of(lab), time.process_time()
    for _ in Lane(lab, 0, 0, corpus):
        pass
    assert 0.2 < estimate_lab(lab).seconds / (time.process_time() - start) < 6


def test_all_strategies_and_seeds_count() -> None:
    one = estimate_lab(parse_lab({"strategies": [{"k": 5}], "seeds": 1}))
    ten = estimate_lab(parse_lab({"strategies": [{"k": 5}, {"k": 5, "value": "reset"}], "seeds": 5}))
    assert ten.seconds == pytest.approx(10 * one.seconds)
    assert ten.operations == pytest.approx(10 * one.operations)
    assert len(ten.lanes) == 2
    assert ten.bytes == one.bytes == max(lane.bytes for lane in ten.lanes)


def test_going_over_steps_again_costs_more() -> None:
    lab = Lab(strategies=(Strategy(k=10), Strategy("k1k2", k1=5, k2=20), Strategy("sliding", k=10)))
    window, overlapping, sliding = (lane.operations for lane in estimate_lab(lab).lanes)
    assert window < overlapping < 8 * window
    assert window < sliding


@pytest.mark.parametrize("preset", LAB_PRESETS, ids=lambda preset: preset.name)
def test_a_preset_ends_within_a_minute_or_two(preset: LabPreset) -> None:
    """On two cores: half the seconds of one. The demo comes first and is done within a minute."""
    assert estimate_lab(preset.lab).seconds / 2 < (60 if preset is LAB_PRESETS[0] else 120)


@pytest.mark.parametrize(("options", "field", "parts"), [
    ({"tokens": 50_000_000, "strategies": [{"style": "sliding", "k": k} for k in (50, 100, 150)], "seeds": 10,
      "batch": 1}, "tokens", ("50,000,000 tokens x 3 strategies x 10 seeds", "hours of one core, the limit is 12",
                              "times smaller")),
    ({"hidden": 1024, "batch": 256, "layers": 3, "steps": 500, "tokens": 200_000}, "text", ("Give at least",)),
    ({"hidden": 1024, "batch": 256, "layers": 3, "steps": 500, "tokens": 200_000, "task": "lagged_bits"}, "hidden",
     ("hidden = 1024, batch = 256, layers = 3", "MiB, the limit is 1,024 MiB", "times smaller")),
])
def test_too_much_is_refused_with_by_how_much(options: dict[str, object], field: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as caught:
        parse_lab(options)
    assert caught.value.problems[0].field == field
    assert all(part in str(caught.value) for part in parts), str(caught.value)
