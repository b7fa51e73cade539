"""The tables of the documentation that follow from the code: `python -m scripts.tables` writes them anew."""

from __future__ import annotations

from collections.abc import Iterable

from engine import CONVENTIONS, LAB_OPTIONS, LAB_PRESETS, OPTIONS, STRATEGY_OPTIONS, Convention, Option
from engine.weights.convention import GATES, INSIDE, Form, Key
from scripts.shell import ROOT
from server.conventions import reductions
from server.settings import STRICT, Settings, unit_of

API, CONVENTIONS_PAGE, TRAINING_PAGE = (ROOT / f"docs/{name}.md" for name in ("api", "conventions", "training"))
OPTIONS_HEAD = "| option | values | default | meaning |"
CONVENTIONS_HEAD = "| convention | framework | what is particular | states |"
CELLS_HEAD = "| convention | cell | gates | biases | tensors of a layer |"
REDUCTIONS_HEAD = "| reduction | factor | meaning |"
LAB_HEAD = "| option of a run | values | default | meaning |"
STRATEGY_HEAD = "| option of a strategy | values | default | meaning |"
PRESETS_HEAD = "| preset | title | what it is |"
SETTINGS_HEAD = "| variable | default | meaning |"
DEPENDS = {"workers": "the number of cores", "training_workers": "the number of cores",
           "light_workers": "one more than cores, at most 4", "allowed_hosts": "none",
           "data": "as the system has it", "database": "in that folder", "public": "by where it listens",
           "secret": "in that folder",
           "passphrase": "none", "passphrase_file": "none"}


def option_row(option: Option) -> str:
    """Returns the row of an option of the config."""
    if option.choices:
        values = ", ".join(f"`{choice}`" for choice in option.choices)
    elif option.kind in ("int", "float"):
        values = f"{option.low:,} to {option.high:,}"
    else:
        values = {"bool": "`true`, `false`", "text": "text", "series": "numbers"}[option.kind]
    words = {"True": "`true`", "False": "`false`", "": "empty", "()": "empty"}
    default = words.get(str(option.default), f"`{option.default}`")
    when = f" ({option.when[0]} = {', '.join(option.when[1])})" if option.when else ""
    return f"| `{option.name}` | {values} | {default} | {option.help}{when} |"


def setting_row(name: str) -> str:
    """Returns the row of a setting of the server."""
    field = Settings.model_fields[name]
    default = DEPENDS.get(name) or f"{field.default} {unit_of(field) or ''}".strip()
    if name in STRICT:
        default += f"; {STRICT[name]} where public"
    return f"| `UNROLLED_{name.upper()}` | {default} | {field.description} |"


def convention_row(convention: Convention) -> str:
    """Returns the row of a framework."""
    states = f"`{convention.states.h}`, `{convention.states.c}`"
    return f"| `{convention.name}` | {convention.title} | {convention.note} | {states} |"


def cell_row(convention: Convention, key: Key) -> str:
    """Returns the row of a framework's cell."""
    form, (cell, after) = convention.forms[key], key
    name = {"lstm": "LSTM", "rnn": "RNN", "gru": "GRU, reset after" if after else "GRU, reset before"}[cell]
    orders = dict.fromkeys("".join(dict.fromkeys(slot.gates)) for slot in form.slots)
    longest = max(orders, key=len)
    gates = ", ".join(longest if len(longest) == len(GATES[key]) else "".join(orders))
    flipped = f"; {form.flipped} flipped" if form.flipped else ""
    tensors = ", ".join(f"`{slot.name}` ({slot.axes})" for slot in form.slots)
    return f"| `{convention.name}` | {name} | {gates}{flipped} | {_biases(form, key)} | {tensors} |"


def _biases(form: Form, key: Key) -> str:
    held = {side: {gate for slot in form.slots if side in slot.sides for gate in slot.gates} for side in "bd"}
    if held["b"] == held["d"]:
        text = "two, summed"
    elif held["b"] and held["d"]:
        text = f"one, and one of {''.join(held['d'])}"
    else:
        text = "one" if held["b"] else "one, beside the hidden side"
    inside = INSIDE.get(key, "")
    return f"{text}; the second of {inside} inside r * (...)" if inside in held["d"] and inside else text


def written_conventions(text: str) -> str:
    """Returns docs/conventions.md with its tables as they should be."""
    cells = [cell_row(convention, key) for convention in CONVENTIONS.values() for key in convention.forms]
    ways = [f"| `{entry['name']}` | {entry['factor']} | {entry['help']} |" for entry in reductions()]
    text = _with_rows(text, CONVENTIONS_HEAD, [convention_row(convention) for convention in CONVENTIONS.values()])
    return _with_rows(_with_rows(text, CELLS_HEAD, cells), REDUCTIONS_HEAD, ways)


def written(text: str) -> str:
    """Returns docs/api.md with both tables as they should be."""
    text = _with_rows(text, OPTIONS_HEAD, [option_row(option) for option in OPTIONS])
    return _with_rows(text, SETTINGS_HEAD, [setting_row(name) for name in Settings.model_fields])


def written_training(text: str) -> str:
    """Returns docs/training.md with its tables as they should be."""
    presets = [f"| `{preset.name}` | {preset.title} | {preset.help} |" for preset in LAB_PRESETS]
    text = _with_rows(text, LAB_HEAD, [option_row(option) for option in LAB_OPTIONS])
    return _with_rows(_with_rows(text, STRATEGY_HEAD, map(option_row, STRATEGY_OPTIONS)), PRESETS_HEAD, presets)


def _with_rows(text: str, head: str, rows: Iterable[str]) -> str:
    lines = text.split("\n")
    start = lines.index(head) + 2
    end = next(n for n in range(start, len(lines)) if not lines[n].startswith("|"))
    return "\n".join([*lines[:start], *rows, *lines[end:]])


if __name__ == "__main__":
    for page, write in ((API, written), (CONVENTIONS_PAGE, written_conventions), (TRAINING_PAGE, written_training)):
        page.write_text(write(page.read_text(encoding="utf-8")), encoding="utf-8")
