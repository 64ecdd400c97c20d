"""From templates to one self-contained HTML file. The only file that imports Jinja."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from edge import __version__
from edge.files import write_atomically
from edge.report import numbers


@lru_cache(maxsize=1)
def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["css"] = _css
    for name in ("asked", "bound", "moment", "percent", "count", "full", "short", "ratio"):
        found.globals[name] = getattr(numbers, name)
    found.globals["version"] = __version__
    return found


def render(template: str, content: Mapping[str, object]) -> str:
    """The page. Texts are escaped; only `svg` marks what is markup of our own."""
    return _environment().get_template(template).render(**content)


def svg(picture: str) -> Markup:
    """A chart of ours as markup: its texts are escaped where it is drawn."""
    return Markup(picture)


def write_page(path: Path, page: str) -> None:
    """Write the file, whole or not at all. Raises OSError."""
    write_atomically(path, page.encode(errors="replace"), mode=0o644, durable=False)


def _css(text: str) -> Markup:
    """A text between quotes in a style sheet; nothing in it can end the string or the sheet."""
    plain = "".join(letter for letter in text if letter.isalnum() or letter in " -_./:,·–")
    return Markup(plain)
