"""Where the files are that the server hands out; nothing else knows. (leaf)

`static` and `templates` stand beside this file in a wheel, and one level up in a checkout. The taps are a
package of their own, `unrolled_taps` in a wheel and `taps` in a checkout. The current directory plays no part.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    for parent in (HERE, HERE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise FileNotFoundError(f"{name}/ stands neither in {HERE} nor in {HERE.parent}: the installation is incomplete.")


def _taps() -> Path:
    for name in ("unrolled_taps", "taps"):  # in a wheel, where a folder `taps` would be somebody else's; in a checkout
        if (HERE.parent / name / "torch_tap.py").is_file():
            return HERE.parent / name
    raise FileNotFoundError(f"unrolled_taps/ does not stand in {HERE.parent}: the installation is incomplete.")


def _inside(package: str, *parts: str) -> Path:
    """Returns the path of a file in an installed package, which is not imported for it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"The package {package} is not installed.")
    return Path(spec.origin).parent.joinpath(*parts)


STATIC = _folder("static")
TEMPLATES = _folder("templates")
TAPS = _taps()
TOKENS = STATIC / "css" / "tokens.css"
PLOTLY = _inside("plotly", "package_data", "plotly.min.js")
API_DOCS = _inside("fastapi_offline", "static")
