"""The one place that knows TFLite: LiteRT where it is installed, else tflite-runtime.

Nothing of either is imported before an Interpreter is made, so that the line process, which only
asks for `runtime_name`, never loads them. The classic interpreter with cached indices is used:
its `invoke` releases the global lock. `set_tensor` and `get_tensor` copy, because a view held
outside makes `invoke` raise.
"""

from __future__ import annotations

import importlib
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

_RUNTIMES = (
    ("litert", "ai-edge-litert", "ai_edge_litert.interpreter"),
    ("tflite-runtime", "tflite-runtime", "tflite_runtime.interpreter"),
)


NO_MEMORY = "it asks for more memory than it may have"


class CannotRun(Exception):
    """The runtime refuses the model; the message is the runtime's own, shortened to one line, or
    NO_MEMORY."""


@dataclass(frozen=True, slots=True)
class TensorDetail:
    """One input or output as the runtime describes it. `scale` 0 means not quantised."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int

    @property
    def nbytes(self) -> int:
        """Size in bytes; 0 for types without a fixed size (strings)."""
        size = int(np.prod(self.shape, dtype=np.int64))
        return size * np.dtype(self.dtype).itemsize if self.dtype != "object" else 0

    def as_json(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)


def runtime_name() -> str:
    """The installed runtime and its version, such as `litert 2.3.0`; `none` without one."""
    for name, distribution, _ in _RUNTIMES:
        try:
            return f"{name} {metadata.version(distribution)}"
        except metadata.PackageNotFoundError:
            continue
    return "none"


def load_runtime() -> None:
    """Import the runtime now instead of with the first model. Raises CannotRun without one."""
    _interpreter_class()


class Interpreter:
    """One loaded model. Raises CannotRun when the runtime does not take it; a damaged file may
    also end the process, so this belongs into a child."""

    def __init__(self, model: bytes, threads: int = 1) -> None:
        try:
            self._interpreter = _interpreter_class()(model_content=model, num_threads=threads)
            self._interpreter.allocate_tensors()
        except MemoryError as error:
            raise CannotRun(NO_MEMORY) from error
        except (RuntimeError, ValueError) as error:
            # LiteRT says nothing at all where it cannot have its arena.
            raise CannotRun(" ".join(str(error).split()) or NO_MEMORY) from error
        details = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self.inputs = tuple(_detail(detail) for detail in details[0])
        self.outputs = tuple(_detail(detail) for detail in details[1])
        self._input_index: int = details[0][0]["index"] if details[0] else -1
        self._output_index: int = details[1][0]["index"] if details[1] else -1

    def run(self, tensor: NDArray[Any]) -> NDArray[Any]:
        """The first output for the first input. Raises CannotRun when the runtime does."""
        try:
            self._interpreter.set_tensor(self._input_index, tensor)
            self._interpreter.invoke()
            output: NDArray[Any] = self._interpreter.get_tensor(self._output_index)
        except MemoryError as error:
            raise CannotRun(NO_MEMORY) from error
        except (RuntimeError, ValueError) as error:
            raise CannotRun(" ".join(str(error).split())) from error
        return output


def _interpreter_class() -> Any:
    for _, _, module in _RUNTIMES:
        try:
            return importlib.import_module(module).Interpreter
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
                raise
    raise CannotRun("neither ai-edge-litert nor tflite-runtime is installed")


def _detail(raw: dict[str, Any]) -> TensorDetail:
    scale, zero_point = raw["quantization"]
    return TensorDetail(
        name=str(raw["name"]),
        shape=tuple(int(side) for side in raw["shape"]),
        dtype=np.dtype(raw["dtype"]).name,
        scale=float(scale),
        zero_point=int(zero_point),
    )
