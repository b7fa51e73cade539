"""The engine's own names and order: `l0.W_ih`, `l0.W_hh`, `l0.b`, `l0.b_hn`, ..., `E`, `W_hy`, `b_y`."""

from __future__ import annotations

from engine.weights.convention import GATES, INSIDE, Convention, Form, Key, Outer, Slot, StateNames


def _form(key: Key) -> Form:
    gates = GATES[key]
    slots = (Slot("W_ih", "x", gates, "rows"), Slot("W_hh", "h", gates, "rows"), Slot("b", "b", gates, "vector"))
    return Form((*slots, Slot("b_hn", "d", INSIDE[key], "vector")) if key in INSIDE else slots)


NATIVE = Convention(
    name="native",
    title="Unrolled",
    note="One bias a layer; gates i, f, g, o and r, z, n; b_hn inside the reset gate's product.",
    forms={key: _form(key) for key in GATES},
    path=lambda key, layer, layers, leaf: f"l{layer}.{leaf}",
    pattern=r"^(?:(?P<prefix>.*)/)?l(?P<number>[0-9]{{1,3}})/(?P<leaf>{leaves})$",
    outer=(Outer("E", r"^E$", "E"), Outer("W_hy", r"^W_hy$", "W_hy"), Outer("b_y", r"^b_y$", "b_y")),
    states=StateNames("h", "c"),
)
