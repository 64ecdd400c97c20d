"""Models that misbehave, as real TFLite files: nothing but the graph makes them do it.

All of them look like `bright_is_good` to whoever loads them: (1, 8, 8, 3) floats, two labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from inference import bundle as bundles
from inference.bundle import Bundle
from inference.manifest import Manifest
from inference.spec import NAMED_SCALINGS, InputSpec, Label, ModelSpec, OutputSpec
from tests.simulators.flatbuffer import Float, Int, Table
from tests.simulators.tflite import BRIGHT, HALF, Graph, Tensor, classifier, nonsense

Kind = Literal[
    "crash_on_load",
    "crash_on_frame",
    "hang",
    "hang_on_frame",
    "nan_on_frame",
    "accept_on_frame",
    "slow",
    "nan",
    "constant",
    "upside_down",
    "wrong_labels",
    "wrong_shape",
    "memory",
]
ADD, FULLY_CONNECTED, MUL, SOFTMAX, MEAN, SUB, CAST, LESS = 0, 9, 18, 25, 40, 41, 53, 58
TILE, FLOOR_MOD, IF, WHILE, SELECT = 69, 95, 118, 119, 123
CALL_ONCE, VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE = 129, 142, 143, 144
SIDE = 192
LOWEST_INT = -(2**31)
LABELS = (Label("good", "good"), Label("defect", "defect"))
SWAPPED = (Label("good", "defect"), Label("defect", "good"))


def poison(kind: Kind, frame: int = 100, rounds: int = 1) -> bytes:
    """The file. `frame` is the number of the first one (from 1) at which it misbehaves, where the
    kind has one; `rounds` is how often `slow` does its sums over: ten take about a millisecond."""
    makers: Mapping[Kind, Callable[[], bytes]] = {
        "crash_on_load": _recursion,
        "crash_on_frame": lambda: _from(frame, _division),
        "hang": lambda: _from(1, _endless),
        "hang_on_frame": lambda: _from(frame, _endless),
        "nan_on_frame": lambda: _from(frame, _no_number),
        "accept_on_frame": lambda: _from(frame, _all_good),
        "slow": lambda: _slow(rounds),
        "nan": nonsense,
        "constant": lambda: classifier(((0.0,) * 3,) * 2, (2.0, -2.0)),
        "upside_down": lambda: classifier(BRIGHT[::-1], HALF[::-1]),
        "wrong_labels": lambda: classifier(BRIGHT, HALF),
        "wrong_shape": lambda: classifier((*BRIGHT, (0.0,) * 3), (*HALF, -9.0)),
        "memory": _memory,
    }
    return makers[kind]()


def bundle(folder: Path, kind: Kind, version: str = "1.3.0", **more: int) -> Bundle:
    """A bundle around it, named `bright` as that of tests/inference/bundles.py."""
    given = InputSpec(8, 8, 3, "float32", "rgb", NAMED_SCALINGS["0..1"])
    labels = SWAPPED if kind == "wrong_labels" else LABELS
    manifest = Manifest(
        name="bright",
        version=version,
        spec=ModelSpec(given, OutputSpec("softmax", "float32", labels)),
    )
    return bundles.write(folder / kind, manifest, poison(kind, **more))


def _good(graph: Graph, more: int, image: int | None = None) -> bytes:
    """Finish a graph as `bright_is_good`; `more` is a tensor of one number added to the logits."""
    if image is None:
        image = graph.add(Tensor((1, 8, 8, 3), "float32", name="image"))
    axes = graph.add(Tensor((2,), "int32", np.array([1, 2])))
    mean = graph.add(Tensor((1, 3), "float32", name="mean"))
    weights = graph.add(Tensor((2, 3), "float32", np.array(BRIGHT)))
    bias = graph.add(Tensor((2,), "float32", np.array(HALF)))
    logits = graph.add(Tensor((1, 2), "float32", name="logits"))
    graph.operators.append((MEAN, [image, axes], [mean], {0: Int(0, 8)}))
    graph.operators.append((FULLY_CONNECTED, [mean, weights, bias], [logits], {}))
    both = graph.add(Tensor((1, 2), "float32", name="both"))
    graph.operators.append((ADD, [logits, more], [both], {}))
    scores = graph.add(Tensor((1, 2), "float32", name="scores"))
    graph.operators.append((SOFTMAX, [both], [scores], {0: Float(1.0)}))
    graph.inputs, graph.outputs = [image], [scores]
    return graph.as_bytes()


def _number(graph: Graph, value: float | None = None, dtype: str = "int32") -> int:
    """A tensor of one number; computed without a value."""
    return graph.add(Tensor((1,), dtype, None if value is None else np.array([value])))


def _run(graph: Graph, code: int, inputs: list[int], dtype: str = "int32") -> int:
    """One operator that gives one number."""
    made = _number(graph, dtype=dtype)
    graph.operators.append((code, inputs, [made], {}))
    return made


def _handle(graph: Graph) -> int:
    handle = graph.add(Tensor((1,), "resource", name="count"))
    graph.operators.append((VAR_HANDLE, [], [handle], {1: "count"}))
    return handle


def _from(frame: int, misbehave: Callable[[Graph, int], int]) -> bytes:
    """Counts its frames; `misbehave` gets a tensor that is 0 before that frame, then 1, and gives
    what is added to the logits."""
    graph, begin = Graph(), Graph()
    begin.operators.append((ASSIGN_VARIABLE, [_handle(begin), _number(begin, 0)], [], {}))
    graph.called.append(begin)
    graph.operators.append((CALL_ONCE, [], [], {0: Int(1)}))
    handle = _handle(graph)
    count = _run(graph, ADD, [_run(graph, READ_VARIABLE, [handle]), _number(graph, 1)])
    graph.operators.append((ASSIGN_VARIABLE, [handle, count], [], {}))
    before = _run(graph, LESS, [count, _number(graph, frame)], "bool")
    bad = _run(graph, SELECT, [before, _number(graph, 0), _number(graph, 1)])
    said = misbehave(graph, bad)
    more = graph.add(Tensor(graph.tensors[said].shape, "float32"))
    graph.operators.append((CAST, [said], [more], {}))
    return _good(graph, more)


def _no_number(graph: Graph, bad: int) -> int:
    """None from that frame on: infinity less itself."""
    real = _run(graph, CAST, [bad], "float32")
    large = _run(graph, MUL, [real, _number(graph, 1e30, "float32")], "float32")
    square = _run(graph, MUL, [large, large], "float32")
    return _run(graph, SUB, [square, square], "float32")


def _all_good(graph: Graph, bad: int) -> int:
    """So much for the first label, and against the other, that nothing else counts."""
    sides = graph.add(Tensor((1, 2), "int32", np.array([[50, -50]])))
    both = graph.add(Tensor((1, 2), "int32"))
    graph.operators.append((MUL, [bad, sides], [both], {}))
    return both


def _division(graph: Graph, bad: int) -> int:
    """The lowest whole number by -1: its quotient is none, and x86 ends a process that asks for it
    (SIGFPE); by 1 otherwise. Where the processor lets it pass nothing happens."""
    by = _run(graph, SUB, [_number(graph, 1), _run(graph, MUL, [bad, _number(graph, 2)])])
    rest = _run(graph, FLOOR_MOD, [_number(graph, LOWEST_INT), by])
    return _run(graph, MUL, [rest, _number(graph, 0)])


def _endless(graph: Graph, bad: int) -> int:
    """A loop that goes on while its number is above 0, and leaves it as it is."""
    ask, again = Graph(), Graph()
    asked = _number(ask)
    ask.inputs, ask.outputs = [asked], [_run(ask, LESS, [_number(ask, 0), asked], "bool")]
    given = _number(again)
    again.inputs, again.outputs = [given], [_run(again, MUL, [given, _number(again, 1)])]
    return _loop(graph, bad, ask, again)


def _loop(graph: Graph, start: int, ask: Graph, again: Graph) -> int:
    first = len(graph.called) + 1
    graph.called += [ask, again]
    end = _number(graph)
    options: Table = {0: Int(first), 1: Int(first + 1)}
    graph.operators.append((WHILE, [start], [end], options))
    return _run(graph, MUL, [end, _number(graph, 0)])


def _slow(rounds: int) -> bytes:
    """A loop of so many rounds; each multiplies two large matrices of nothing."""
    graph, ask, again = Graph(), Graph(), Graph()
    asked = _number(ask)
    ask.inputs, ask.outputs = [asked], [_run(ask, LESS, [asked, _number(ask, rounds)], "bool")]
    given = _number(again)
    real = _run(again, CAST, [given], "float32")
    tall = again.add(Tensor((SIDE, SIDE), "float32"))
    again.operators.append((TILE, [_row(again, real), _repeat(again, SIDE, 1)], [tall], {}))
    product = again.add(Tensor((SIDE, SIDE), "float32"))
    weights = again.add(Tensor((SIDE, SIDE), "float32", np.zeros((SIDE, SIDE))))
    again.operators.append((FULLY_CONNECTED, [tall, weights, -1], [product], {}))
    mean = _number(again, dtype="float32")
    axes = again.add(Tensor((2,), "int32", np.array([0, 1])))
    again.operators.append((MEAN, [product, axes], [mean], {0: Int(0, 8)}))
    step = _run(again, ADD, [_run(again, CAST, [mean]), _number(again, 1)])
    again.inputs, again.outputs = [given], [_run(again, ADD, [given, step])]
    nothing = _loop(graph, _run(graph, MUL, [_number(graph, 0), _number(graph, 1)]), ask, again)
    return _good(graph, _run(graph, CAST, [nothing], "float32"))


def _row(graph: Graph, real: int) -> int:
    """A row of SIDE times this number."""
    row = graph.add(Tensor((1, SIDE), "float32"))
    zeros = graph.add(Tensor((1, SIDE), "float32", np.zeros((1, SIDE))))
    graph.operators.append((ADD, [zeros, real], [row], {}))
    return row


def _repeat(graph: Graph, *times: int) -> int:
    return graph.add(Tensor((len(times),), "int32", np.array(times)))


def _recursion() -> bytes:
    """A branch that leads to itself: getting ready for it never ends, and the stack does."""
    graph, inner = Graph(), Graph()
    for one in (graph, inner):
        condition = one.add(Tensor((1,), "bool", np.array([True])))
        given = _number(one, 0, "float32") if one is graph else _number(one, dtype="float32")
        made = _number(one, dtype="float32")
        one.operators.append((IF, [condition, given], [made], {0: Int(1), 1: Int(1)}))
        one.inputs, one.outputs = [given], [made]
    graph.called.append(inner)
    return _good(graph, graph.outputs[0])


def _memory(megabytes: int = 3072) -> bytes:
    """Fills so much memory at every frame."""
    graph = Graph()
    image = graph.add(Tensor((1, 8, 8, 3), "float32", name="image"))
    times = megabytes * 2**18 // (8 * 8 * 3)
    large = graph.add(Tensor((times, 8, 8, 3), "float32", name="large"))
    graph.operators.append((TILE, [image, _repeat(graph, times, 1, 1, 1)], [large], {}))
    axes = graph.add(Tensor((4,), "int32", np.array([0, 1, 2, 3])))
    mean = _number(graph, dtype="float32")
    graph.operators.append((MEAN, [large, axes], [mean], {0: Int(0, 8)}))
    nothing = _run(graph, MUL, [mean, _number(graph, 0, "float32")], "float32")
    return _good(graph, nothing, image)
