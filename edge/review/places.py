"""Where each example lies in an export: safe names, and a split for each part. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from edge.review.dataset import UNKNOWN, Example
from edge.review.split import Given, Part, Shares, Split, counted, share_out

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
MOST_LETTERS = 60
DISPUTED = "disputed"
ELSEWHERE = "the same picture is in another split, with another part"


@dataclass(frozen=True, slots=True)
class Sharing:
    """What `share` found: the split of every part that was asked for, and what is new in it."""

    splits: Mapping[str, Given]
    pictures: Mapping[str, str]
    new: int


def folder_name(type_: str | None) -> str:
    """A defect type as the name of one folder, whatever a person has typed.

    Lower-case letters, digits, `_` and `-`; never empty, hidden or a way out.
    """
    plain = unicodedata.normalize("NFKD", type_ or "").encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_-]+", "_", plain).strip("_-")[:MOST_LETTERS] or UNKNOWN


def stratum_of(example: Example) -> str:
    """The kind of parts that this one is shared out with."""
    return f"defect/{folder_name(example.type)}" if example.kind == "defect" else "good"


def place_of(example: Example, split: Split | None) -> PurePosixPath | None:
    """Where its picture lies below OUT; None for a row without a picture."""
    picture = example.picture
    if picture is None or example.use == "part":
        return None
    suffix = PurePosixPath(picture[0]).suffix.lower()
    name = example.inspection + (suffix if suffix in SUFFIXES else ".jpg")
    if example.use == "disputed":
        return PurePosixPath(DISPUTED, name)
    return None if split is None else PurePosixPath(split, stratum_of(example), name)


def share(
    examples: Iterable[Example],
    known: Mapping[str, Given],
    pictures: Mapping[str, str],
    shares: Shares,
) -> Sharing:
    """A split for every part among these examples; those that are known keep theirs.

    Parts with one and the same picture (a folder that was played twice) are not torn apart: a new
    one follows the part that had the picture first, so that no picture is in two splits.
    """
    work = _Sharing(dict(known), dict(pictures))
    for example in sorted(examples, key=lambda one: (one.part, one.inspection)):
        work.add(example)
    return work.done(shares)


@dataclass(slots=True)
class _Sharing:
    known: dict[str, Given]
    pictures: dict[str, str]
    strata: dict[str, str] = field(default_factory=dict)
    follows: dict[str, str] = field(default_factory=dict)

    def add(self, example: Example) -> None:
        """One more example; a part with a defect is a defect, whatever else was said of it."""
        part, stratum = example.part, stratum_of(example)
        if self.strata.get(part, "good") == "good":
            self.strata[part] = stratum
        assert example.picture is not None
        first = self.pictures.setdefault(example.picture[1], part)
        leader = self._leader(first)
        if part not in self.known and part not in self.follows and leader != part:
            self.follows[part] = leader

    def done(self, shares: Shares) -> Sharing:
        """Everything shared out."""
        given = {
            part: Given(one.split, self.strata.get(part, one.stratum))
            for part, one in self.known.items()
        }
        counts = counted(given.values())
        new = [
            Part(part, stratum)
            for part, stratum in self.strata.items()
            if part not in given and part not in self.follows
        ]
        for part, split in share_out(new, shares, counts):
            given[part.key] = Given(split, part.stratum)
        for name in self.follows:
            given[name] = Given(given[self._leader(name)].split, self.strata[name])
        return Sharing(given, self.pictures, len(given) - len(self.known))

    def _leader(self, part: str) -> str:
        while part in self.follows:
            part = self.follows[part]
        return part
