"""Reading the documents, and what the sources name, for the tests that compare the two."""

import ast
import re
import types
import typing
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "models" / "README.md"])


def ids(path):
    return str(path.relative_to(ROOT))


def text(name):
    return (ROOT / name).read_text()


def section(page, heading):
    """What stands below a heading, down to the next one."""
    found = re.search(rf"^#+ {re.escape(heading)}$\n(.*?)(?=^#+ |\Z)", page, re.S | re.M)
    assert found, f"there is no heading {heading!r}"
    return found[1]


def rows(table):
    """The cells of every row of the tables in a text, without headings."""
    lines = re.findall(r"^\|(.*)\|$", table, re.M)
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    return [row for row in cells if row[0].startswith("`") or row[0].isdigit()]


def keys(table):
    """The words in backquotes in the first cell of each row."""
    return [word for row in rows(table) for word in re.findall(r"`([^`]+)`", row[0])]


def words(*names):
    """The names that the sources give to objects of some class: `Doubt("black")`."""
    found = set()
    for path in (
        path for area in ("camera", "edge", "inference") for path in (ROOT / area).rglob("*.py")
    ):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) in names and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
    return found


def literals(kind):
    """The words that a type allows."""
    if typing.get_origin(kind) is typing.Literal:
        return {str(word) for word in typing.get_args(kind)}
    parts = (
        typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, types.UnionType) else ()
    )
    return {word for part in parts for word in literals(part)}


def anchors(page):
    """What GitHub makes of the headings of a page."""
    for heading in re.findall(r"^#+ (.*)$", page, re.M):
        plain = re.sub(r"[^\w\- ]", "", heading.strip().lower())
        yield plain.replace(" ", "-")
