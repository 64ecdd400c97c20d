"""What a TFLite file says of itself without being run: operators, labels, normalisation. Pure.

Slots are those of tensorflow/compiler/mlir/lite/schema/schema.fbs and of lite-support's
metadata_schema.fbs.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass, field

from inference.flatbuffer import Damaged, Table

_METADATA = "TFLITE_METADATA"
_CUSTOM = 32
_OPERATORS = {
    0: "ADD", 1: "AVERAGE_POOL_2D", 3: "CONV_2D", 4: "DEPTHWISE_CONV_2D", 6: "DEQUANTIZE",
    9: "FULLY_CONNECTED", 14: "LOGISTIC", 18: "MUL", 22: "RESHAPE", 25: "SOFTMAX", 34: "PAD",
    40: "MEAN", 41: "SUB", 42: "DIV", 43: "SQUEEZE", 53: "CAST", 56: "ARG_MAX", 114: "QUANTIZE",
}  # fmt: skip
_PASSING = {"DEQUANTIZE", "RESHAPE", "QUANTIZE", "SQUEEZE", "CAST"}
_VALUE_LABELS, _AXIS_LABELS = 3, 2
_NORMALIZATION, _IMAGE = 1, 2
_COLOURS = {1: "rgb", 2: "grey"}
LARGEST_TEXT = 4 * 2**20


@dataclass(frozen=True)
class ModelFile:
    """The file's own words. Everything is empty where it says nothing.

    `last` is the operator that makes the output and `first` the one that takes the input, both
    looked for through reshapes and changes of type. `mean` and `std` are the metadata's
    normalisation in pixels (0..255), by channel or one for all.
    """

    operators: tuple[str, ...] = ()
    custom: tuple[str, ...] = ()
    first: str = ""
    last: str = ""
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    colour: str = ""
    labels_text: str = ""
    notes: tuple[str, ...] = field(default_factory=tuple)


def read_model(content: bytes) -> ModelFile:
    """Read the file. Raises Damaged when it is no TFLite file or leads out of itself."""
    root = Table.root(content, b"TFL3")
    names = [_operator_name(code) for code in root.tables(1)]
    graphs = root.tables(2)
    if not graphs:
        raise Damaged("a model without a graph")
    found = _metadata(root)
    texts = _attached(content)
    labels_text = next((texts[name] for name in found.labels if name in texts), "")
    if not labels_text and len(texts) == 1:
        labels_text = next(iter(texts.values()))
    return ModelFile(
        operators=tuple(sorted({name for name, _ in names})),
        custom=tuple(sorted({name for name, custom in names if custom})),
        first=_neighbour(graphs[0], [name for name, _ in names], forward=True),
        last=_neighbour(graphs[0], [name for name, _ in names], forward=False),
        mean=found.mean,
        std=found.std,
        colour=found.colour,
        labels_text=labels_text,
        notes=found.notes,
    )


@dataclass
class _Metadata:
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    colour: str = ""
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _operator_name(code: Table) -> tuple[str, bool]:
    builtin = max(code.integer(0, "<b"), code.integer(3, "<i"))
    if builtin == _CUSTOM:
        return code.text(1) or "?", True
    return _OPERATORS.get(builtin, f"operator {builtin}"), False


def _neighbour(graph: Table, names: list[str], forward: bool) -> str:
    """The operator next to the first input (forward) or first output, through those that only
    change shape or type."""
    ends = graph.numbers(1 if forward else 2, "i")
    here, there = (1, 2) if forward else (2, 1)
    tensor = ends[0] if ends else -1
    operators = graph.tables(3)
    for _ in range(16):
        name = ""
        for operator in operators:
            if tensor not in operator.numbers(here, "i"):
                continue
            index = operator.integer(0, "<I")
            name = names[index] if index < len(names) else ""
            beyond = operator.numbers(there, "i")
            tensor = beyond[0] if beyond else -1
            break
        if name not in _PASSING:
            return name
    return ""


def _metadata(root: Table) -> _Metadata:
    """The metadata; that which is damaged counts as none, with a note."""
    try:
        for entry in root.tables(6):
            if entry.text(0) == _METADATA:
                buffers = root.tables(4)
                index = entry.integer(1, "<I")
                content = buffers[index].raw(0) if index < len(buffers) else b""
                return _read_metadata(Table.root(content, b"M001"))
    except Damaged as error:
        return _Metadata(notes=(f"the metadata in the file is damaged: {error}",))
    return _Metadata()


def _read_metadata(model: Table) -> _Metadata:
    found = _Metadata()
    graphs = model.tables(3)
    if not graphs:
        return found
    for given in graphs[0].tables(2)[:1]:
        content = given.table(3)
        properties = content.table(1) if content else None
        if content and properties and content.integer(0, "<B") == _IMAGE:
            found.colour = _COLOURS.get(properties.integer(0, "<b"), "")
        for unit in given.tables(4):
            options = unit.table(1)
            if options and unit.integer(0, "<B") == _NORMALIZATION:
                found.mean, found.std = options.numbers(0, "f"), options.numbers(1, "f")
    for answer in graphs[0].tables(3):
        files = answer.tables(6)
        wanted = [f for f in files if f.integer(2, "<b") in (_VALUE_LABELS, _AXIS_LABELS)]
        found.labels += tuple(f.text(0) for f in wanted)
    return found


def _attached(content: bytes) -> dict[str, str]:
    """The text files in the zip that the metadata writer appends; empty where there is none."""
    texts: dict[str, str] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist()[:50]:
                if entry.filename.endswith((".txt", ".csv", ".json")):
                    with archive.open(entry) as file:
                        texts[entry.filename] = file.read(LARGEST_TEXT).decode(errors="replace")
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError):
        return texts
    except NotImplementedError:
        return texts
    return texts
