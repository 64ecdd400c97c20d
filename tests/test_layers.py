"""Who may import whom: the walls of the house, read from the sources."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("camera", "edge", "inference", "models", "sync")
MAY_IMPORT = {
    "camera": {"camera"},
    "inference": {"inference"},
    "sync": {"sync"},
    "models": {"models"},
    "edge": set(PACKAGES),
}
ONE_FILE_EACH = {
    "tflite_runtime": {"inference/interpreter.py"},
    "ai_edge_litert": {"inference/interpreter.py"},
    "importlib": {"inference/interpreter.py"},
    "tensorflow": set(),
    "paho": {"sync/mqtt.py"},
    "sqlalchemy": {
        "sync/fleet/advance.py",
        "sync/fleet/central.py",
        "sync/fleet/database.py",
        "sync/fleet/filing.py",
        "sync/fleet/gallery.py",
        "sync/fleet/giving.py",
        "sync/fleet/knowing.py",
        "sync/fleet/labelled.py",
        "sync/fleet/ledger.py",
        "sync/fleet/models.py",
        "sync/fleet/orders.py",
        "sync/fleet/overview.py",
        "sync/fleet/pictures.py",
        "sync/fleet/pieces.py",
        "sync/fleet/pushed.py",
        "sync/fleet/rehearsal.py",
        "sync/fleet/repository.py",
        "sync/fleet/roles.py",
        "sync/fleet/rollout_tables.py",
        "sync/fleet/shelf.py",
        "sync/fleet/story.py",
        "sync/fleet/tables.py",
    },
    "psycopg": set(),
    "uvicorn": {"edge/web/server.py"},
    "tuf": {"sync/metadata.py", "sync/fleet/metadata.py"},
    "securesystemslib": {"sync/fleet/keys.py", "sync/fleet/metadata.py"},
}
HEAVY = {
    "numpy", "cv2", "jinja2", "paho", "sqlite_utils", "rich", "yaml", "pydantic", "sqlalchemy",
    "starlette", "uvicorn", "anyio", "tuf", "securesystemslib", "cryptography",
}  # fmt: skip
PURE = re.compile(r"\bPure[.:;,]")
HARMLESS = {
    "__future__", "base64", "bisect", "collections", "contextlib", "csv", "cv2", "dataclasses",
    "datetime", "difflib", "enum", "fractions", "functools", "hashlib", "heapq", "hmac", "html",
    "io", "itertools", "json", "math", "numpy", "random", "re", "statistics", "struct", "types",
    "typing", "unicodedata", "uuid", "yaml", "zipfile", "zlib",
}  # fmt: skip
"""What pure files may import from outside the project: nothing that reads a clock, draws a number,
or touches a file, a socket, a process."""
TYPES_ONLY = {"pathlib", "socket", "ssl", "sqlite3"}
"""Pure files may name their types (a path to hand on, an error to put into words), no more."""
UNCLEAN = re.compile(
    r"^(open|input|print|exec|datetime\.(now|today|utcnow)|date\.today|uuid\.uuid[14]"
    r"|Path|(socket|ssl|sqlite3)\..*|(random\.)?SystemRandom"
    r"|random\.(random|randint|choice|choices|shuffle|sample|uniform|gauss|seed|randbytes)"
    r"|(np|numpy)\.random\.(?!default_rng|RandomState)\w+"
    r"|(np|numpy)\.(load|save|fromfile|memmap|genfromtxt|loadtxt)"
    r"|cv2\.(imread|imwrite|VideoCapture|VideoWriter|imshow|randn|randu|getTickCount)"
    r"|.*\.(read_text|read_bytes|write_text|write_bytes|exists|stat|unlink|mkdir|glob))$"
)
"""What must not be called all the same."""


def sources() -> Iterator[Path]:
    """Every source of the appliance; training is a tool beside it."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if not path.is_relative_to(ROOT / "models" / "training"):
                yield path


FILES = {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in sources()}


def imported(tree: ast.AST) -> set[str]:
    """The dotted names of all modules imported anywhere below this node."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written out in full"
            found.add(node.module or "")
    return found


def named(tree: ast.AST) -> set[str]:
    """Texts that could be names of modules, for those who import by name."""
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return {text for text in texts if isinstance(text, str) and re.fullmatch(r"[\w.]+", text)}


def at_import(tree: ast.Module) -> set[str]:
    """The modules that are imported as soon as the file is: not those of functions or types."""
    found: set[str] = set()
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= imported(node)
        waiting += ast.iter_child_nodes(node)
    return found


def tops(modules: set[str]) -> set[str]:
    return {module.split(".")[0] for module in modules}


def pure_files() -> list[str]:
    return [name for name, tree in FILES.items() if PURE.search(ast.get_docstring(tree) or "")]


def test_there_is_something_to_check() -> None:
    assert {name.split("/")[0] for name in FILES} == set(PACKAGES)
    assert "edge/inspection.py" in pure_files()
    assert "edge/decision/policy.py" in pure_files()
    assert "camera/frame.py" in pure_files()


@pytest.mark.parametrize("name", FILES)
def test_packages_import_only_what_is_below_them(name: str) -> None:
    ours = tops(imported(FILES[name])) & {*PACKAGES, "tests", "benchmarks"}
    assert ours <= MAY_IMPORT[name.split("/")[0]]


@pytest.mark.parametrize("library", ONE_FILE_EACH)
def test_one_file_imports_each_foreign_engine(library: str) -> None:
    users = {name for name, tree in FILES.items() if library in tops(imported(tree) | named(tree))}
    assert users == ONE_FILE_EACH[library]


@pytest.mark.parametrize("name", pure_files())
def test_pure_files_have_no_clock_no_chance_and_no_files(name: str) -> None:
    tree = FILES[name]
    foreign = tops(at_import(tree) | imported(tree)) - set(PACKAGES)
    assert foreign <= HARMLESS | TYPES_ONLY
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = {ast.unparse(call.func) for call in calls}
    assert {call for call in called if UNCLEAN.match(call)} == set()
    unseeded = {ast.unparse(call.func) for call in calls if not call.args + call.keywords}
    assert not unseeded & {"random.Random", "np.random.default_rng", "np.random.RandomState"}


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("edge/cli/")])
def test_commands_import_nothing_heavy_before_they_run(name: str) -> None:
    assert not tops(at_import(FILES[name])) & HEAVY


def test_help_needs_nothing_heavy() -> None:
    """Also not by way of other files of ours."""
    code = "import sys, edge.cli.main; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "typer" in loaded
    assert not set(loaded) & HEAVY
