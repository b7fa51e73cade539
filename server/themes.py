"""Colours of figures: role names such as `var(--full)`, resolved to the values that tokens.css gives them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from server import paths

DECLARATION = re.compile(r"(--[a-z0-9-]+)\s*:\s*([^;}]+)")
ROLE = re.compile(r"var\((--[a-z0-9-]+)\)")


@cache
def tokens(theme: str) -> Mapping[str, str]:
    """Returns every custom property's value in a theme; `light` or `dark`."""
    css = re.sub(r"/\*.*?\*/", "", paths.TOKENS.read_text(encoding="utf-8"), flags=re.DOTALL)
    found: dict[str, str] = {}
    for selector, block in re.findall(r"([^{};]+)\{([^{}]*)\}", css):
        if "dark" in selector and theme != "dark":
            continue
        if "light" in selector and theme != "light":
            continue
        found |= {name: value.strip() for name, value in DECLARATION.findall(block)}
    return found


def resolve(value: Any, theme: str) -> Any:
    """Returns the figure with every role replaced by its colour."""
    if isinstance(value, str):
        return ROLE.sub(
            lambda match: (
                resolve(tokens(theme).get(match[1], match[0]), theme) if match[1] in tokens(theme) else match[0]
            ),
            value,
        )
    if isinstance(value, dict):
        return {name: resolve(item, theme) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolve(item, theme) for item in value]
    return value
