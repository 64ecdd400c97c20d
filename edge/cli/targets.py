"""The stations of a push: whom it means, and who is left out because this bundle ended there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.cli.errors import USAGE, fail

if TYPE_CHECKING:
    from edge.ordering import Office
    from sync.fleet.plan import Plan
    from sync.fleet.said import Refusal

FEW = 20
_NOT_NAME = re.compile(r"[*?]")


@dataclass(frozen=True, slots=True)
class Targets:
    """`chosen` are those that it goes to, in order; `known` are all that were ever heard, with what
    they say they run; `refusing` are left out, and why: they would not take it. So are those that
    are `taking` it, by a roll-out that was asked for in the same words."""

    chosen: Sequence[str]
    known: Mapping[str, str | None]
    refusing: Mapping[str, Refusal]
    taking: Mapping[str, str]

    def lines(self) -> Iterator[str]:
        """For people."""
        for station in self.chosen[:FEW]:
            nothing = "nothing said of its models yet" if station in self.known else "never heard"
            yield f"  {station:<40} {self.known.get(station) or nothing}"
        if len(self.chosen) > FEW:
            yield f"  … and {len(self.chosen) - FEW} more"
        if self.refusing:
            yield f"not to {stations(len(self.refusing))} where it has ended before:"
            yield from self._ended()
            yield "  → --again includes them"
        if self.taking:
            names = ", ".join(sorted(set(self.taking.values())))
            yield f"{stations(len(self.taking))} more, of the same plan, by {names} already"

    def _ended(self) -> Iterator[str]:
        for station, one in list(self.refusing.items())[:FEW]:
            at = f"{one.at[:16].replace('T', ' ')}, " if one.at else ""
            yield f"  {station:<40} skipped: {at}{one.code}: {one.why or 'no reason was given'}"
        if len(self.refusing) > FEW:
            yield f"  … and {len(self.refusing) - FEW} more"

    def skipped(self) -> list[dict[str, str]]:
        """Who is left out, as JSON."""
        return [
            {"station": station, "code": one.code, "why": one.why, "at": one.at}
            for station, one in self.refusing.items()
        ]

    def all_ended(self) -> str:
        """In words, where nobody else is meant."""
        return "\n".join(["the bundle has ended before wherever it is to go:", *self._ended()])


def choose(desk: Office, plan: Plan, digest: str) -> Targets:
    """The stations that are meant and do not have it yet; ends the command where a pattern names
    none, or where the bundle has ended at all of them."""
    from sync.fleet.plan import matches

    known = desk.stations()
    for pattern in plan.targets:
        if _NOT_NAME.search(pattern) and not any(matches([pattern], one) for one in known):
            fail(
                f"no station that was ever heard fits {pattern!r}",
                "`edge-inspect fleet status` lists them; a name in full is taken as it is",
            )
    named = {one for one in plan.targets if not _NOT_NAME.search(one)}
    meant = sorted(named | {one for one in known if matches(plan.targets, one)})
    ended = {} if plan.again else desk.refusing(digest)
    before = desk.taking(digest, plan)
    taking = {one: before[one] for one in meant if one in before}
    refusing = {one: ended[one] for one in meant if one in ended and one not in taking}
    chosen = [one for one in meant if one not in refusing and one not in taking]
    targets = Targets(chosen, known, refusing, taking)
    if not chosen and not taking:
        fail(targets.all_ended(), "--again tries it anew", USAGE)
    return targets


def stations(count: int) -> str:
    """So many, in words."""
    return "1 station" if count == 1 else f"{count} stations"
