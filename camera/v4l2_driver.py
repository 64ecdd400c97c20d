"""Video4Linux2 ioctls: what a device is, what it can do, and its controls.

After the kernel's `linux/videodev2.h` (its layout is the same on all 64-bit and ARM machines).
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

Ioctl = Callable[[int, bytes], bytes]
"""Runs one request on an open device: number and structure in, structure out; raises OSError."""

READ, WRITE = 2, 1
CAPTURE = 0x1
HAS_DEVICE_CAPS = 0x80000000
DISCRETE = 1
MOST = 100
"""No device has this many formats or sizes; one that says so is broken."""


def _request(direction: int, number: int, size: int) -> int:
    return direction << 30 | size << 16 | ord("V") << 8 | number


QUERYCAP = _request(READ, 0, 104)
ENUM_FMT = _request(READ | WRITE, 2, 64)
G_CTRL = _request(READ | WRITE, 27, 8)
S_CTRL = _request(READ | WRITE, 28, 8)
QUERYCTRL = _request(READ | WRITE, 36, 68)
ENUM_FRAMESIZES = _request(READ | WRITE, 74, 44)


@dataclass(frozen=True, slots=True)
class Control:
    """One setting: its number, and the automatic mode that must first be switched to `manual`."""

    number: int
    automatic: int | None = None
    manual: int = 0


CONTROLS: Mapping[str, Control] = {
    "exposure": Control(0x009A0902, automatic=0x009A0901, manual=1),
    "gain": Control(0x00980913, automatic=0x00980912),
    "white_balance": Control(0x0098091A, automatic=0x0098090C),
    "focus": Control(0x009A090A, automatic=0x009A090C),
    "zoom": Control(0x009A090D),
    "brightness": Control(0x00980900),
    "contrast": Control(0x00980901),
    "saturation": Control(0x00980902),
    "gamma": Control(0x00980910),
    "sharpness": Control(0x0098091B),
    "backlight": Control(0x0098091C),
    "power_line_frequency": Control(0x00980918),
}
"""The names that a configuration may use; values are the driver's own units."""


@dataclass(frozen=True, slots=True)
class Mode:
    """A pixel format (four letters) and one size that the device offers with it."""

    pixel_format: str
    width: int
    height: int


@contextmanager
def driver(device: Path) -> Iterator[Ioctl]:
    """Requests to a device. Raises OSError when it cannot be opened."""
    handle = os.open(device, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        yield lambda request, data: fcntl.ioctl(handle, request, data)
    finally:
        os.close(handle)


def card(ioctl: Ioctl) -> str | None:
    """The device's name, or None when it gives no pictures (some nodes carry only metadata)."""
    answer = ioctl(QUERYCAP, bytes(104))
    all_of_them, this_node = struct.unpack_from("=II", answer, 84)
    abilities = this_node if all_of_them & HAS_DEVICE_CAPS else all_of_them
    if not abilities & CAPTURE:
        return None
    return answer[16:48].split(b"\0", 1)[0].decode("utf-8", "replace")


def modes(ioctl: Ioctl) -> Iterator[Mode]:
    """Every format and size, in the driver's order; for a range of sizes its largest."""
    for index in range(MOST):
        try:
            found = ioctl(ENUM_FMT, struct.pack("=II56x", index, CAPTURE))
        except OSError:
            return
        (code,) = struct.unpack_from("=I", found, 44)
        letters = struct.pack("=I", code).decode("ascii", "replace")
        for width, height in _sizes(ioctl, code):
            yield Mode(letters, width, height)


def set_controls(ioctl: Ioctl, wanted: Mapping[str, int]) -> dict[str, int | None]:
    """Set controls, then read all back: those that are not as wanted, with what they are.

    None stands for a control that the device (or this table) does not have. All are set before any
    is read: setting one may change another.
    """
    for name, value in wanted.items():
        control = CONTROLS.get(name)
        if control is None:
            continue
        if control.automatic is not None:
            _try(ioctl, S_CTRL, control.automatic, control.manual)
        _try(ioctl, S_CTRL, control.number, value)
    found = {name: read_control(ioctl, name) for name in wanted}
    return {name: value for name, value in found.items() if value != wanted[name]}


def read_control(ioctl: Ioctl, name: str) -> int | None:
    """A control as it is now; None when there is none of that name."""
    control = CONTROLS.get(name)
    return None if control is None else _try(ioctl, G_CTRL, control.number, 0)


def has_control(ioctl: Ioctl, name: str) -> bool:
    """Whether the device has it."""
    try:
        ioctl(QUERYCTRL, struct.pack("=I64x", CONTROLS[name].number))
    except OSError:
        return False
    return True


def _sizes(ioctl: Ioctl, code: int) -> Iterator[tuple[int, int]]:
    for index in range(MOST):
        try:
            found = ioctl(ENUM_FRAMESIZES, struct.pack("=II36x", index, code))
        except OSError:
            return
        (kind,) = struct.unpack_from("=I", found, 8)
        if kind == DISCRETE:
            yield struct.unpack_from("=II", found, 12)
        else:
            _, widest, _, _, tallest, _ = struct.unpack_from("=6I", found, 12)
            yield widest, tallest
            return


def _try(ioctl: Ioctl, request: int, number: int, value: int) -> int | None:
    try:
        answer = ioctl(request, struct.pack("=Ii", number, value))
    except OSError:
        return None
    return int(struct.unpack("=Ii", answer)[1])
