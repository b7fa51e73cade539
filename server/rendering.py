"""The Jinja environment: autoescaped, with formulas as MathML and data as inert JSON."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from math_core import LatexToMathML
from pydantic_core import to_json

from server import paths


def as_script(data: Any) -> Markup:
    """Returns data as JSON that may stand inside a <script type="application/json">."""
    text = to_json(data).decode()
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))  # noqa: S704  no < is left in it


def environment() -> Environment:
    """Returns the environment of every page. Templates may call `math(latex)` and `math(latex, display=True)`."""
    converter = LatexToMathML()

    def math(latex: str, display: bool = False) -> Markup:
        return Markup(converter.convert_with_local_state(latex, displaystyle=display))  # noqa: S704  the formulas are the templates' own

    made = Environment(
        loader=FileSystemLoader(paths.TEMPLATES),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(math=math)
    made.filters["as_script"] = as_script
    return made
