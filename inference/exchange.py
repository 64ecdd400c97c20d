"""The words that a model's child process and its parent exchange. Pure.

Requests are a number. Replies are a head (number, status, value), followed by `value` bytes of
text where the status says so. Reply 0 is the hello, sent once. Tensors travel in shared memory.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inference.interpreter import TensorDetail

ALIGNED = 64
LONGEST_TEXT = 2000
LONGEST_HELLO = 1 << 20
OK, FAILED, HELLO = 0, 1, 2
_REQUEST = struct.Struct("<q")
_HEAD = struct.Struct("<qqq")


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `value` is nanoseconds of the invocation when the status is OK."""

    number: int
    status: int
    value: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Hello:
    """What the child says of its model once it is loaded. The input tensor is at the beginning of
    the shared memory, the first output at `output_at`."""

    inputs: tuple[TensorDetail, ...]
    outputs: tuple[TensorDetail, ...]
    output_at: int
    size: int

    def as_text(self) -> str:
        """JSON."""
        return json.dumps(
            {
                "inputs": [detail.as_json() for detail in self.inputs],
                "outputs": [detail.as_json() for detail in self.outputs],
                "output_at": self.output_at,
                "size": self.size,
            }
        )


def hello_for(inputs: Sequence[TensorDetail], outputs: Sequence[TensorDetail]) -> Hello:
    """The layout of the shared memory for these tensors."""
    input_bytes = inputs[0].nbytes if inputs else 0
    output_bytes = outputs[0].nbytes if outputs else 0
    output_at = -(-input_bytes // ALIGNED) * ALIGNED
    size = max(ALIGNED, output_at + output_bytes)
    return Hello(tuple(inputs), tuple(outputs), output_at, size)


def read_hello(text: str) -> Hello:
    """The hello as the child wrote it. Raises ValueError."""
    content = json.loads(text)
    try:
        return Hello(
            inputs=tuple(_detail(item) for item in content["inputs"]),
            outputs=tuple(_detail(item) for item in content["outputs"]),
            output_at=int(content["output_at"]),
            size=int(content["size"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a hello: {error}") from error


def request(number: int) -> bytes:
    """A request as bytes."""
    return _REQUEST.pack(number)


def read_request(data: bytes) -> int:
    """The number of a request. Raises ValueError on a torn one."""
    try:
        number: int = _REQUEST.unpack(data)[0]
    except struct.error as error:
        raise ValueError(f"a request of {len(data)} bytes") from error
    return number


REQUEST_BYTES = _REQUEST.size


def answered(number: int, invoke_ns: int) -> bytes:
    """The reply to a request that went well."""
    return _HEAD.pack(number, OK, invoke_ns)


def failed(number: int, text: str) -> bytes:
    """The reply to a request, or instead of a hello, that did not."""
    encoded = text.encode(errors="replace")[:LONGEST_TEXT]
    return _HEAD.pack(number, FAILED, len(encoded)) + encoded


def hello(said: Hello) -> bytes:
    """The first reply."""
    encoded = said.as_text().encode()
    return _HEAD.pack(0, HELLO, len(encoded)) + encoded


class Replies:
    """Cuts a stream of bytes into replies."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that are complete now. Raises ValueError on what is no reply."""
        buffer = self._buffer + data if self._buffer else data
        found: list[Reply] = []
        while len(buffer) >= _HEAD.size:
            number, status, value = _HEAD.unpack_from(buffer)
            if status == OK:
                found.append(Reply(number, status, value))
                buffer = buffer[_HEAD.size :]
                continue
            if status not in (FAILED, HELLO) or not 0 <= value <= LONGEST_HELLO:
                raise ValueError(f"a reply with status {status} and length {value}")
            end = _HEAD.size + value
            if len(buffer) < end:
                break
            text = buffer[_HEAD.size : end].decode(errors="replace")
            found.append(Reply(number, status, value, text))
            buffer = buffer[end:]
        self._buffer = buffer
        return found


def _detail(item: Mapping[str, Any]) -> TensorDetail:
    return TensorDetail(
        name=str(item["name"]),
        shape=tuple(int(side) for side in item["shape"]),
        dtype=str(item["dtype"]),
        scale=float(item["scale"]),
        zero_point=int(item["zero_point"]),
    )
