"""Which models a station has, as line.db remembers it: exactly one is active, always. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from edge.rollout.probation import Probation, from_json
from sync.refusals import NOT_ITS_FAULT

SLOTS = ("a", "b")
FACTORY = "factory"

STATE_ACTIVE = "rollout.active"
STATE_PREVIOUS = "rollout.previous"
STATE_FACTORY = "rollout.factory"
STATE_CANDIDATE = "rollout.candidate"
STATE_LAST = "rollout.last"
STATE_REFUSED = "rollout.refused"
STATE_SEEN = "rollout.seen"
STATE_LOST = "rollout.lost"
_Last = tuple[Probation | None, bool, str | None, dict[str, object]]
LOST = "lost"
"""What `rollout.seen` says where the database that knew it was lost."""


def lost() -> Mapping[str, str]:
    """The state of a station that lost it: the factory bundle runs, and nothing begins by an
    assignment that was there before."""
    return {STATE_ACTIVE: LOST, STATE_SEEN: LOST}


@dataclass(frozen=True, slots=True)
class Place:
    """A bundle that is, or was, active: where it lies and by which calibration it decides.

    `factory` is the digest of the configured bundle at the time when this one became active: a
    person who configures another one later means that one. `serial` and `rollout` are those of the
    assignment by which it came.
    """

    slot: str
    digest: str
    name: str
    version: str
    calibration: str | None = None
    calibration_sha256: str | None = None
    since: float = 0.0
    factory: str | None = None
    serial: int | None = None
    rollout: str | None = None


def place_of(candidate: Probation) -> Place:
    """Where a candidate lies."""
    assert candidate.slot is not None
    return Place(
        slot=candidate.slot,
        digest=candidate.digest,
        name=candidate.name,
        version=candidate.version,
        calibration=candidate.calibration,
        calibration_sha256=candidate.calibration_sha256,
    )


NOTHING = Place(FACTORY, "", "", "")
"""The place of the factory bundle at a station where that cannot be used."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a digest is not tried again here, since when, and by which serial it had come."""

    name: str
    version: str
    code: str
    why: str
    serial: int
    at: float


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything about models that outlives a restart.

    `factory` is the configured bundle, with the calibration that was in force when it was active
    last. `seen` is the newest serial that was acted upon; None where that was lost. `last` is the
    candidate that ended last, `figures` what was known of it then; `noted` says that a person has
    taken note of how it ended. `asked` is the id of the last command that was carried out: after a
    crash it may be asked again. `lost` is the bundle that the configured one stands in for since
    line.db was lost, until there is a newer word.
    """

    active: Place
    factory: Place = NOTHING
    previous: Place | None = None
    candidate: Probation | None = None
    last: Probation | None = None
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    seen: int | None = 0
    noted: bool = False
    asked: str | None = None
    figures: Mapping[str, object] = field(default_factory=dict)
    lost: Place | None = None

    @property
    def on_trial(self) -> bool:
        """Whether the active model was promoted so recently that its return is automatic."""
        return self.candidate is not None and self.candidate.state == "active"

    @property
    def beside(self) -> Probation | None:
        """The candidate, as long as another model is active."""
        return None if self.on_trial else self.candidate

    @property
    def back(self) -> Place | None:
        """What a return would make active: the previous bundle, else the factory one."""
        known = (self.previous, self.factory if self.factory.digest else None)
        return next((one for one in known if one and one.digest != self.active.digest), None)

    def free_slot(self) -> str:
        """Where a bundle may be written: never over the active one, rather not over the previous
        one."""
        free = [slot for slot in SLOTS if slot != self.active.slot]
        kept = None if self.previous is None else self.previous.slot
        return next((slot for slot in free if slot != kept), free[0])

    def refusal(self, digest: str, serial: int, again: bool) -> Refusal | None:
        """Why this digest may not come by an assignment of this serial; None where it may."""
        known = self.refused.get(digest)
        if known is None:
            return None
        newer = serial > known.serial
        return None if newer and (again or known.code in NOT_ITS_FAULT) else known

    def state(self) -> dict[str, str]:
        """What is stored, by its key."""
        return {
            STATE_ACTIVE: _text(self.active),
            STATE_PREVIOUS: _text(self.previous),
            STATE_FACTORY: _text(self.factory),
            STATE_CANDIDATE: _text(self.candidate),
            STATE_LAST: json.dumps(
                {
                    "ended": _json(self.last),
                    "noted": self.noted,
                    "asked": self.asked,
                    "figures": dict(self.figures),
                }
            ),
            STATE_REFUSED: json.dumps({key: asdict(one) for key, one in self.refused.items()}),
            STATE_SEEN: LOST if self.seen is None else str(self.seen),
            STATE_LOST: _text(self.lost),
        }


def remembered(state: Callable[[str], str | None], factory: Place) -> Standing:
    """What was stored, `factory` being the bundle that is configured now.

    What cannot be read counts as not there: then the factory bundle is active, and there is no
    candidate. A factory bundle keeps the calibration that is remembered for its digest.
    """
    known = _place(state(STATE_FACTORY))
    if known is not None and known.digest == factory.digest:
        factory = known
    active = _place(state(STATE_ACTIVE))
    last: _Last = _read(state(STATE_LAST), _last) or (None, False, None, {})
    seen = state(STATE_SEEN)
    return Standing(
        active=active or factory,
        factory=factory,
        previous=_place(state(STATE_PREVIOUS)),
        candidate=_read(state(STATE_CANDIDATE), _probation) if active is not None else None,
        last=last[0],
        refused=_read(state(STATE_REFUSED), _refusals) or {},
        seen=0 if seen is None else _whole(seen),
        noted=last[1],
        asked=last[2],
        figures=last[3],
        lost=_place(state(STATE_LOST)),
    )


def with_calibration(place: Place, calibration: str, sha256: str) -> Place:
    """The same bundle under this calibration."""
    return replace(place, calibration=calibration, calibration_sha256=sha256)


def _text(value: Place | Probation | None) -> str:
    return json.dumps(_json(value))


def _json(value: Place | Probation | None) -> object:
    return None if value is None else asdict(value)


def _read(text: str | None, make: Callable[[Any], Any]) -> Any:
    try:
        return None if text is None else make(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
        return None


def _place(text: str | None) -> Place | None:
    found: Place | None = _read(text, lambda said: None if said is None else _known(Place, said))
    good = found is not None and found.slot in (*SLOTS, FACTORY) and isinstance(found.digest, str)
    return found if good else None


def _probation(said: Any) -> Probation | None:
    return None if said is None else from_json(said)


def _last(said: Any) -> _Last:
    ended, noted = _probation(said["ended"]), bool(said["noted"])
    return ended, noted, said["asked"], dict(said["figures"])


def _refusals(said: Mapping[str, Any]) -> dict[str, Refusal]:
    return {digest: _known(Refusal, one) for digest, one in said.items()}


def _known(kind: Callable[..., Any], said: Mapping[str, Any]) -> Any:
    """What a later version wrote beside it does not lose the rest."""
    names = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in said.items() if name in names})


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
