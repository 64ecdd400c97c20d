"""What two models said of the same parts, on the disk: one file for each candidate.

A line is one JSON object: a pair, a person's answer, a death, a place in the queue's chain; others
are passed over. The last line may be torn by a power cut; nothing is fsynced but the whole when it
is made anew, since the loss of seconds of evidence only means that a little more is waited for.

A file that has grown to `MOST_BYTES` is replaced by one with the sum of all (`kept`) and the newest
`TAIL` lines about parts, which are there for comparison and count no second time.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from edge.files import write_atomically
from edge.rollout.evidence import Evidence
from edge.rollout.pair import Answer, Pair, Side

FOLDER = "rollout"
"""Below the state directory: `<id of the probation>.jsonl`."""
MOST_BYTES = 3 * 10**6
"""About 12,000 pairs: read again within half a second."""
TAIL = 6_000
MOST_FILES = 10
FAILURES = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)
Line = Mapping[str, Any]
DECIDING: Literal["deciding"] = "deciding"
Died = Literal[Side, "deciding"]
"""Whose child died: `deciding` is the newcomer's that decided parts."""
_OLD = b'{"old":true,'
_SEEN = (b'{"pair":', b'{"verdict":', _OLD)
"""How the lines begin that are for comparison too."""


@dataclass(frozen=True, slots=True)
class Word:
    """A person's answer about a part."""

    inspection: str
    verdict: str
    label: str | None = None
    shown: bool = False


class PairsFile:
    """Writes the file of one candidate. For one thread."""

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES, tail: int = TAIL) -> None:
        self.path = path
        self._most = most_bytes
        self._tail = tail

    def append(self, lines: Iterable[Line]) -> None:
        """Add lines. Raises OSError; what was written before stays readable."""
        text = b"".join(_text(line) for line in lines)
        if not text:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        with os.fdopen(os.open(self.path, flags, 0o640), "rb+", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            if size and os.pread(file.fileno(), 1, size - 1) != b"\n":
                text = b"\n" + text  # a torn line stays one line
            file.write(text)

    def shorten(self, evidence: Evidence, place: Line | None = None) -> bool:
        """Where it has grown too large: one that says the same. `evidence` is all that it holds,
        `place` the line that says how far the queue was read. Raises OSError."""
        if not self.path.exists() or self.path.stat().st_size < self._most:
            return False
        with self.path.open("rb") as file:
            newest = deque((text for text in file if text.startswith(_SEEN)), self._tail)
        kept: list[Line] = [{"kept": evidence.kept()}, *([] if place is None else [place])]
        old = (text if text.startswith(_OLD) else _OLD + text[1:] for text in newest)
        write_atomically(self.path, b"".join((*map(_text, kept), *old)))
        return True


def tidy(own: Path) -> None:
    """Leave this file, and of the others beside it the newest, for comparison. Names begin with the
    time, and a clock may have been set back."""
    others = [path for path in own.parent.glob("*.jsonl") if path != own]
    for path in sorted(others)[: 1 - MOST_FILES]:
        with contextlib.suppress(OSError):
            path.unlink()


def lines(path: Path) -> Iterator[Line]:
    """What is in a file, in order; what is no line of ours is passed over. Raises OSError, except
    for a file that is not there: that is an empty one."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        for text in file:
            try:
                line = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if isinstance(line, dict):
                yield line


def replay(path: Path, evidence: Evidence) -> Line | None:
    """Give all that is in a file to a new Evidence; the last place in the queue. Raises OSError."""
    place: Line | None = None
    for line in lines(path):
        try:
            if "queue" in line:
                place = line
            elif "kept" in line:
                evidence.restore(line["kept"])
            elif not line.get("old"):
                apply(line, evidence)
        except FAILURES:
            continue
    return place


def apply(line: Line, evidence: Evidence) -> None:
    """Give one line to the evidence. Raises one of FAILURES for what is none of ours."""
    if "pair" in line:
        evidence.add(pair_of(line))
    elif "verdict" in line:
        word = line["verdict"]
        evidence.verdict(word["inspection"], word["verdict"], word["label"], word["shown"])
    elif "death" in line:
        side: Side = "active" if line["death"] == "active" else "candidate"
        evidence.death(side, deciding=line["death"] == DECIDING)


def pairs_and_words(path: Path) -> tuple[list[Pair], dict[str, Word]]:
    """The pairs in a file, and the newest answer about each part. Raises OSError."""
    pairs: list[Pair] = []
    words: dict[str, Word] = {}
    for line in lines(path):
        try:
            if "pair" in line:
                pairs.append(pair_of(line))
            elif "verdict" in line:
                word = Word(**line["verdict"])
                words[word.inspection] = word
        except FAILURES:
            continue
    return pairs, words


def pair_line(pair: Pair) -> Line:
    """A pair as a line."""
    said = (pair.active, pair.candidate)
    short = [[one.score, one.label, one.would_be, one.fault, round(one.ms, 3)] for one in said]
    return {
        "pair": [pair.inspection, pair.part_id, pair.at, pair.decided_by, *short],
        **({"doubtful": True} if pair.doubtful else {}),
        **({"truth": pair.truth} if pair.truth else {}),
        **({"picture": pair.picture} if pair.picture else {}),
    }


def pair_of(line: Line) -> Pair:
    """The pair in a line. Raises one of FAILURES."""
    inspection, part_id, at, decided_by, active, candidate = line["pair"]
    return Pair(
        str(inspection),
        part_id,
        float(at),
        "candidate" if decided_by == "candidate" else "active",
        _answer(*active),
        _answer(*candidate),
        bool(line.get("doubtful")),
        line.get("truth"),
        line.get("picture"),
    )


def verdict_line(word: Word) -> Line:
    """A person's answer as a line."""
    said = {"inspection": word.inspection, "verdict": word.verdict}
    return {"verdict": {**said, "label": word.label, "shown": word.shown}}


def _answer(score: Any, label: Any, would_be: Any, fault: Any, ms: Any) -> Answer:
    score = None if score is None else float(score)
    if would_be not in (None, "accept", "reject", "escalate"):
        raise ValueError(f"no decision: {would_be}")
    return Answer(score, label, would_be, fault, float(ms))


def _text(line: Line) -> bytes:
    return json.dumps(line, separators=(",", ":"), allow_nan=False).encode() + b"\n"
