"""Damaged copies of a model file: what cards, cables and copies do to it, and fuzzers would."""

from __future__ import annotations

import random

WAYS = 6


def damage(content: bytes, number: int) -> bytes:
    """The copy with this number; it always differs from the original."""
    draw = random.Random(number)
    for _ in range(100):
        made = _damage(content, number % WAYS, draw)
        if made != content:
            return made
    return content[:-1]


def _damage(content: bytes, way: int, draw: random.Random) -> bytes:
    data, at = bytearray(content), draw.randrange(len(content))
    if way == 0:
        data[at] ^= 1 << draw.randrange(8)
    elif way == 1:
        for _ in range(20):
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    elif way == 2:
        del data[at:]
    elif way == 3:
        data[at : at + 512] = bytes(len(data[at : at + 512]))
    elif way == 4:
        some = len(data[at : at + draw.randrange(4, 64)])
        data[at : at + some] = draw.randbytes(some)
    else:  # among the offsets and tables, where it hurts most
        data[draw.randrange(min(len(data), 2048))] = draw.randrange(256)
    return bytes(data)
