"""A Video4Linux2 driver in Python: answers ioctls as the kernel does, from a few dictionaries."""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from camera.v4l2_driver import (
    CONTROLS,
    ENUM_FMT,
    ENUM_FRAMESIZES,
    G_CTRL,
    QUERYCAP,
    QUERYCTRL,
    S_CTRL,
    Ioctl,
)

DEVICE_CAPS = 0x80000000


@dataclass
class V4l2Driver:
    """One device node. `controls` by number; those in `stubborn` keep their value.

    A control whose automatic mode is on refuses to be set, as real drivers do.
    """

    name: str = "Test Camera"
    abilities: int = 0x04200001
    formats: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    stepwise: bool = False
    controls: dict[int, int] = field(default_factory=dict)
    stubborn: frozenset[int] = frozenset()
    step: int = 1

    @contextmanager
    def __call__(self, device: Path) -> Iterator[Ioctl]:
        yield self.ioctl

    def ioctl(self, request: int, data: bytes) -> bytes:
        answers = {
            QUERYCAP: self._capability,
            ENUM_FMT: self._format,
            ENUM_FRAMESIZES: self._size,
            G_CTRL: self._get,
            S_CTRL: self._set,
            QUERYCTRL: self._query,
        }
        assert len(data) == request >> 16 & 0x3FFF
        return answers[request](data)

    def _capability(self, data: bytes) -> bytes:
        all_nodes = DEVICE_CAPS | 0x1 | self.abilities
        words = struct.pack("=III12x", 0x060100, all_nodes, self.abilities)
        return struct.pack("=16s32s32s", b"uvcvideo", self.name.encode(), b"usb-1") + words

    def _format(self, data: bytes) -> bytes:
        index, kind = struct.unpack_from("=II", data)
        names = list(self.formats)
        if index >= len(names):
            raise OSError(errno.EINVAL, "no more")
        code = struct.unpack("=I", names[index].encode())[0]
        return struct.pack("=III32sI16x", index, kind, 0, b"format", code)

    def _size(self, data: bytes) -> bytes:
        index, code = struct.unpack_from("=II", data)
        sizes = self.formats[struct.pack("=I", code).decode()]
        if index >= len(sizes):
            raise OSError(errno.EINVAL, "no more")
        width, height = sizes[index]
        if self.stepwise:
            return struct.pack("=III6I8x", index, code, 3, 16, width, 16, 16, height, 16)
        return struct.pack("=IIIII24x", index, code, 1, width, height)

    def _get(self, data: bytes) -> bytes:
        number, _ = struct.unpack("=Ii", data)
        self._must_have(number)
        return struct.pack("=Ii", number, self.controls[number])

    def _set(self, data: bytes) -> bytes:
        number, value = struct.unpack("=Ii", data)
        self._must_have(number)
        for control in CONTROLS.values():
            automatic = control.automatic
            if control.number == number and automatic in self.controls:
                assert automatic is not None
                if self.controls[automatic] != control.manual:
                    raise OSError(errno.EACCES, "automatic")
        if number not in self.stubborn:
            self.controls[number] = value // self.step * self.step
        return data

    def _query(self, data: bytes) -> bytes:
        self._must_have(struct.unpack_from("=I", data)[0])
        return data

    def _must_have(self, number: int) -> None:
        if number not in self.controls:
            raise OSError(errno.EINVAL, "no such control")
