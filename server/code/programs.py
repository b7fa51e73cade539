"""Programs as text: one for each framework, made from a config. Nothing here is ever executed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from engine import Config
from server import paths
from server.code.facts import facts_of

MARK = "✂"  # stands in the comment of every line that makes the cut


@dataclass(frozen=True)
class Framework:
    """A library that a program is written for."""

    name: str
    title: str
    help: str


FRAMEWORKS = {
    framework.name: framework
    for framework in (
        Framework("pytorch", "PyTorch", "torch.nn cells, detach() and backward()"),
        Framework("keras", "Keras 3", "keras.layers cells and ops.stop_gradient, on the TensorFlow backend"),
        Framework("jax", "JAX", "lax.scan and stop_gradient under value_and_grad"),
        Framework("tensorflow1", "TensorFlow 1", "placeholders; the final state is fed back as a NumPy array"),
        Framework("numpy", "NumPy", "forward and backward written out"),
    )
}


@dataclass(frozen=True)
class Program:
    """A program's text, and the numbers (from 1) of the lines that make the cut."""

    text: str
    cut_lines: tuple[int, ...]


def program(framework: str, config: Config) -> Program:
    """Returns the program of a validated config in one of FRAMEWORKS; raises InputError where there is none."""
    text = _environment().get_template(f"{framework}.py.jinja").render(f=facts_of(config), mark=MARK)
    lines = text.splitlines()
    head = lines.index('"""', 1)
    return Program(text, tuple(n for n, line in enumerate(lines, 1) if n > head + 1 and MARK in line))


@cache
def _environment() -> Environment:
    """Programs are plain text: nothing is escaped, and what they quote of a config is numbers and an encoded URL."""
    return Environment(
        loader=FileSystemLoader(paths.TEMPLATES / "code"),
        autoescape=False,  # noqa: S701  what is made is a Python program, and is sent as text
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
