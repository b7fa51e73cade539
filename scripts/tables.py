"""The tables of docs/api.md that follow from the code: `python -m scripts.tables` writes them anew."""

from __future__ import annotations

from collections.abc import Sequence

from engine import OPTIONS, Option
from scripts.shell import ROOT
from server.settings import Settings, unit_of

WHERE = ROOT / "docs/api.md"
OPTIONS_HEAD = "| option | values | default | meaning |"
SETTINGS_HEAD = "| variable | default | meaning |"
DEPENDS = {"workers": "the number of cores", "allowed_hosts": "none"}


def option_row(option: Option) -> str:
    """Returns the row of an option of the config."""
    if option.choices:
        values = ", ".join(f"`{choice}`" for choice in option.choices)
    elif option.kind in ("int", "float"):
        values = f"{option.low:,} to {option.high:,}"
    else:
        values = {"bool": "`true`, `false`", "text": "text", "series": "numbers"}[option.kind]
    default = {"True": "`true`", "": "empty", "()": "empty"}.get(str(option.default), f"`{option.default}`")
    when = f" ({option.when[0]} = {', '.join(option.when[1])})" if option.when else ""
    return f"| `{option.name}` | {values} | {default} | {option.help}{when} |"


def setting_row(name: str) -> str:
    """Returns the row of a setting of the server."""
    field = Settings.model_fields[name]
    default = DEPENDS.get(name) or f"{field.default} {unit_of(field) or ''}".strip()
    return f"| `UNROLLED_{name.upper()}` | {default} | {field.description} |"


def written(text: str) -> str:
    """Returns the page with both tables as they should be."""
    text = _with_rows(text, OPTIONS_HEAD, [option_row(option) for option in OPTIONS])
    return _with_rows(text, SETTINGS_HEAD, [setting_row(name) for name in Settings.model_fields])


def _with_rows(text: str, head: str, rows: Sequence[str]) -> str:
    lines = text.split("\n")
    start = lines.index(head) + 2
    end = next(n for n in range(start, len(lines)) if not lines[n].startswith("|"))
    return "\n".join([*lines[:start], *rows, *lines[end:]])


if __name__ == "__main__":
    WHERE.write_text(written(WHERE.read_text(encoding="utf-8")), encoding="utf-8")
