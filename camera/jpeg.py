"""The structure of a JPEG file, read from its markers without decoding it. Pure.

After ITU-T T.81, annex B (markers, frame and scan headers) and C (how Huffman codes are made).
What only a decoder can know (too much or too little data between sound markers) is found by
`camera/decode.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from camera.frame import Doubt

ZERO_RUN = 32
"""Zero bytes in a row that no encoder writes where a zero bit is not "end of block"."""

SOI, EOI, SOS, DHT = 0xD8, 0xD9, 0xDA, 0xC4
FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
LONE = frozenset({0x01, *range(0xD0, 0xD8)})

_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


class Malformed(Exception):
    """The markers do not fit together; `name` is the doubt's name, `at` the byte."""

    def __init__(self, name: str, at: int) -> None:
        super().__init__(f"{name} at byte {at}")
        self.name = name
        self.at = at


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan: which bytes are its entropy-coded data, and how they are to be read.

    `components` are frame component numbers, `zero_symbols` what a code of zero bits only means
    in each AC table that the scan uses (None where the table is the standard one, left out of the
    file). `first`, `last`, `high`, `low` are Ss, Se, Ah and Al of T.81.
    """

    start: int
    end: int
    components: tuple[int, ...]
    zero_symbols: tuple[int | None, ...]
    first: int
    last: int
    high: int
    low: int


@dataclass(slots=True)
class _Header:
    frame: int | None = None
    components: int = 0
    sizes_known: bool = False


def jpeg_damage(data: bytes) -> Doubt | None:
    """What is wrong with a file that starts like a JPEG, as far as its markers tell.

    `truncated` (`measured` is the byte where it ends), `spliced` (a second picture begins inside),
    `zeroed` (`measured` is where the run of zero bytes begins), `damaged` (no sense at all).
    """
    header = _Header()
    scans: list[Scan] = []
    try:
        for scan in _scans(data, header):
            if _zeroed(data, scan, header):
                return Doubt("zeroed", float(data.find(bytes(ZERO_RUN), scan.start)), ZERO_RUN)
            scans.append(scan)
    except Malformed as wrong:
        return Doubt(wrong.name, float(wrong.at))
    if not scans or not header.sizes_known:
        return Doubt("damaged", 0.0)
    if header.frame in PROGRESSIVE and not _refined(scans, header.components):
        return Doubt("truncated", float(len(data)))
    return None


def _scans(data: bytes, header: _Header) -> Iterator[Scan]:
    """Every scan up to the end marker. Raises Malformed when there is none."""
    tables: dict[int, int | None] = {}
    at = 2
    while True:
        marker, at = _marker(data, at)
        if marker == EOI:
            return
        if marker in LONE:
            continue
        if marker == SOI:
            raise Malformed("spliced", at)
        if at + 2 > len(data):
            raise Malformed("truncated", len(data))
        end = at + int.from_bytes(data[at : at + 2], "big")
        if end > len(data):
            raise Malformed("truncated", len(data))
        body = data[at + 2 : end]
        if marker == DHT:
            _read_tables(body, tables)
        elif marker in FRAMES:
            _read_frame(marker, body, header, at)
        elif marker == SOS:
            found = _NEXT_MARKER.search(data, end)
            if found is None:
                raise Malformed("truncated", len(data))
            yield _scan(body, end, found.start(), tables)
            end = found.start()
        at = end


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker at or behind `at`, and where its segment starts."""
    if at >= len(data):
        raise Malformed("truncated", len(data))
    if data[at] != 0xFF:
        # Some cameras put a stray byte or two between segments; decoders skip them.
        at = data.find(b"\xff", at, at + 16)
        if at < 0:
            raise Malformed("damaged", at)
    while at < len(data) and data[at] == 0xFF:
        at += 1
    if at >= len(data):
        raise Malformed("truncated", len(data))
    return data[at], at + 1


def _read_frame(marker: int, body: bytes, header: _Header, at: int) -> None:
    if header.frame is not None:
        raise Malformed("spliced", at)
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        raise Malformed("damaged", at)
    header.frame = marker
    header.components = body[5]
    header.sizes_known = body[3:5] != b"\0\0" and body[5] > 0


def _read_tables(body: bytes, tables: dict[int, int | None]) -> None:
    """Remember of each AC table only what a code of zero bits means: its first symbol."""
    at = 0
    while at + 17 <= len(body):
        count = sum(body[at + 1 : at + 17])
        if body[at] & 0x10 and at + 17 < len(body):
            tables[body[at] & 0x0F] = body[at + 17]
        at += 17 + count


def _scan(body: bytes, start: int, end: int, tables: dict[int, int | None]) -> Scan:
    count = body[0] if body else 0
    if not 1 <= count <= 4 or len(body) < 4 + 2 * count:
        raise Malformed("damaged", start)
    used = [body[2 + 2 * k] & 0x0F for k in range(count)]
    first, last, approximation = body[1 + 2 * count : 4 + 2 * count]
    return Scan(
        start=start,
        end=end,
        components=tuple(body[1 + 2 * k] for k in range(count)),
        zero_symbols=tuple(tables.get(table) for table in used),
        first=first,
        last=last,
        high=approximation >> 4,
        low=approximation & 0x0F,
    )


def _zeroed(data: bytes, scan: Scan, header: _Header) -> bool:
    """Whether the scan holds a run of zero bytes that its Huffman tables cannot explain.

    Zero bytes are natural where a zero code ends a block: then they are a flat area. Otherwise
    they would be dozens of equal coefficients in a row. A progressive AC scan joins empty blocks
    into runs and never repeats a code for them. Its DC scans may be zero throughout.
    """
    if data.find(bytes(ZERO_RUN), scan.start, scan.end) < 0:
        return False
    if header.frame in PROGRESSIVE:
        return scan.first > 0
    return any(symbol != 0 for symbol in scan.zero_symbols)


def _refined(scans: list[Scan], components: int) -> bool:
    """Whether a progressive picture's scans bring every coefficient to full precision."""
    left = {}
    for scan in scans:
        for component in scan.components:
            for coefficient in range(scan.first, scan.last + 1):
                left[component, coefficient] = scan.low
    return len(left) >= 64 * components and not any(left.values())
