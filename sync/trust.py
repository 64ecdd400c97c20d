"""Which assignments this station takes: only those that the fleet's keys vouch for, and none that
is older than what it has taken already."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from sync.assignment import Assignment, AssignmentError, parse
from sync.floors import Floor, Memory, MemoryFile, TimeFloor, iso
from sync.pack import Pack, unpack
from sync.refusals import TrustRefused

if TYPE_CHECKING:
    from sync.metadata import Examination, Verified

TOLERANCE_S = 86400.0
"""How far a clock may be off before it is called wrong. Expiry is judged by the later of the clock
and the time floor all the same."""
NOTE_EVERY_S = 3600.0
LARGEST_ROOT = 256 * 1024


@dataclass(frozen=True, slots=True)
class Accepted:
    """An assignment that was verified, and is remembered as the newest. The same one again is
    accepted again. `sent_at` is what the pack says of itself, in seconds since 1970; nobody has
    signed that.

    For `run` and `pause` the bundle's file is listed by the fleet's offline keys; `cancel` and
    `rollback` hold whatever the list says, and nothing is to be fetched for them.
    """

    assignment: Assignment
    sent_at: float


class Trust:
    """The station's judgement of packs. It remembers, in `folder`, what it has already taken.

    `station` is `site/line/station`, `root_file` the fleet's root as a person brought it; `now` is
    wall time in seconds; `tell` hears what a log should hold. The first `accept` imports what
    verifies (some 0.2 s).
    """

    def __init__(
        self,
        folder: Path,
        root_file: Path | None,
        station: str,
        *,
        now: Callable[[], float],
        clock_synced: Callable[[], bool],
        tell: Callable[[str], None] = lambda what: None,
    ) -> None:
        self._folder = folder
        self._root_file = root_file
        self._station = station
        self._now = now
        self._clock_synced = clock_synced
        self._file = MemoryFile(folder, tell)
        self._time = TimeFloor(folder, tell)
        self._noted = self._time.read()

    def accept(self, pack: bytes) -> Accepted:
        """Verify a pack and remember it, on disk, before it is reported. Raises TrustRefused, and
        nothing else; what was accepted before stays as it was."""
        try:
            return self._accept(unpack(pack))
        except TrustRefused:
            raise
        except OSError as error:
            raise TrustRefused("not_stored", f"{self._folder}: {error}") from error
        except Exception as error:  # whatever hostile data make the libraries raise
            raise TrustRefused("malformed", f"{type(error).__name__}: {error}"[:300]) from error

    def note_time(self) -> None:
        """To be called now and then: the clock's time is remembered, about once an hour, while the
        clock is synchronised. Cheap; never raises."""
        now = self._now()
        if now >= self._noted + NOTE_EVERY_S and self._clock_synced():
            self._noted = now
            try:
                self._time.write(now)
            except OSError:
                return  # an hour later again; accepting says loudly when nothing can be written

    def _accept(self, pack: Pack) -> Accepted:
        from sync.metadata import Examination

        memory, root = self._anchored(self._file.read())
        now, floor = self._now(), self._time.read()
        reference = datetime.fromtimestamp(max(now, floor), timezone.utc)
        work = self._folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o750, parents=True)
        try:
            look = Examination(pack.files, work, root, reference, memory.known_keys)
            try:
                verified = look.verify(f"assignments/{self._station}.json")
            finally:
                memory = self._with_root(memory, look)
        except TrustRefused as refused:
            self._check_dated(refused, now, floor, pack.sent)
            raise
        finally:
            shutil.rmtree(work, ignore_errors=True)
        assignment = self._judge(verified, memory, now, floor, pack.sent)
        self._remember(memory, verified, assignment, now, floor)
        return Accepted(assignment, pack.sent)

    def _anchored(self, memory: Memory) -> tuple[Memory, bytes]:
        """The root to begin with: the newest that was verified, or the file, where a person has
        put a newer one or that of another repository in its place."""
        from sync.metadata import read_root

        if self._root_file is None:
            raise TrustRefused("no_trust_root", "sync.trust_root_file is not set")
        try:
            with open(self._root_file, "rb") as stream:
                data = stream.read(LARGEST_ROOT)
        except OSError as error:
            raise TrustRefused("no_trust_root", str(error)) from error
        digest = hashlib.sha256(data).hexdigest()
        if memory.root and memory.anchor == digest:
            return memory, memory.root.encode()
        version, keys = read_root(data, str(self._root_file))
        if not memory.root or set(keys).isdisjoint(memory.known_keys.get("root", ())):
            return Memory(anchor=digest), data
        if version > memory.root_version:
            return replace(memory, anchor=digest), data
        return replace(memory, anchor=digest), memory.root.encode()

    def _with_root(self, memory: Memory, look: Examination) -> Memory:
        """A verified root counts at once, also where everything else in the pack is refused: what
        it withdraws is withdrawn."""
        newest = look.newest_root()
        if newest is None or newest.decode() == memory.root:
            return memory
        memory = replace(
            memory,
            root=newest.decode(),
            root_version=look.root_version(),
            known_keys=memory.knowing(look.root_keys()),
        )
        self._file.write(memory)
        return memory

    def _check_dated(self, refused: TrustRefused, now: float, floor: float, sent: float) -> None:
        """Metadata that seem expired may be fresh: where the clock is doubtful, say that."""
        if refused.code == "expired":
            self._check_floor(now, floor)
        sure = self._clock_synced() or abs(now - sent) <= TOLERANCE_S
        if refused.code == "expired" and not sure:
            synced = "synchronised" if self._clock_synced() else "not synchronised"
            what = f"{refused.what} by this station's clock ({_day(now)}, {synced})"
            raise TrustRefused("wrong_clock", what) from refused

    def _judge(
        self, verified: Verified, memory: Memory, now: float, floor: float, sent: float
    ) -> Assignment:
        _check_floors(verified, memory)
        try:
            assignment = parse(verified.assignment)
            issued = _seconds(assignment.issued_at)
        except (AssignmentError, ValueError, OverflowError) as error:
            raise TrustRefused("malformed", f"the assignment: {error}") from error
        if assignment.station != self._station:
            raise TrustRefused("other_station", f"an assignment of {assignment.station}")
        self._check_clock(now, floor, issued, sent)
        _check_listed(assignment, verified)
        _check_serial(assignment, verified, memory)
        return assignment

    def _check_floor(self, now: float, floor: float) -> None:
        """Either the clock is wrong now, or it was when it said a later time."""
        if now < floor - TOLERANCE_S:
            raise TrustRefused(
                "wrong_clock",
                f"this station's clock says {_day(now)}, and {_day(floor)} was over already",
                "set the clock and have it synchronised (`timedatectl`); if that earlier time was "
                f"the wrong one, delete {self._folder / 'time.json'}",
            )

    def _check_clock(self, now: float, floor: float, issued: float, sent: float) -> None:
        clock = f"this station's clock says {_day(now)}"
        self._check_floor(now, floor)
        if now < issued - TOLERANCE_S:
            raise TrustRefused(
                "wrong_clock",
                f"{clock}, and the assignment was issued {_day(issued)}",
                "set the clock that is wrong, this one or that of the fleet's machine",
            )
        if now < sent - TOLERANCE_S and not self._clock_synced():
            raise TrustRefused("wrong_clock", f"{clock}, and the pack was sent {_day(sent)}")

    def _remember(
        self, memory: Memory, verified: Verified, assignment: Assignment, now: float, floor: float
    ) -> None:
        documents = verified.documents
        remembered = replace(
            memory,
            floors={role: Floor(one.version, one.keys) for role, one in documents.items()},
            known_keys=memory.knowing({role: one.keys for role, one in documents.items()}),
            serial=assignment.serial,
            assignment=_digest(verified),
            holder=verified.holder,
        )
        if remembered != memory:
            self._file.write(remembered)
        # what a signature says is over is over; it cannot be far ahead, see _check_clock
        over = max(_seconds(assignment.issued_at), now if self._clock_synced() else 0.0)
        if over > floor:
            self._time.write(over)
            self._noted = max(self._noted, over)


def _check_floors(verified: Verified, memory: Memory) -> None:
    """Nothing older than what was accepted, while those who signed that still may.

    Delegated roles are forgotten with the online keys, as the client of The Update Framework does
    with the snapshot that names them.
    """
    kept = _kept(verified, memory)
    for role, floor in kept.items():
        found = verified.documents.get(role)
        if found is not None and found.version < floor.version:
            raise TrustRefused(
                "rollback", f"{role} version {found.version}; {floor.version} was already taken"
            )


def _kept(verified: Verified, memory: Memory) -> Mapping[str, Floor]:
    kept = {}
    for role, floor in memory.floors.items():
        found = verified.documents.get(role)
        if found is not None and floor.holds(found.keys, found.threshold):
            kept[role] = floor
    if "timestamp" in kept and "snapshot" in kept:
        return kept
    return {role: floor for role, floor in kept.items() if role in ("root", "targets")}


def _check_listed(assignment: Assignment, verified: Verified) -> None:
    if assignment.action not in ("run", "pause"):
        return  # nothing is installed for them; a bundle that was struck off can still be dropped
    bundle = assignment.bundle
    listed = verified.bundles.get(bundle.path)
    if listed is None:
        raise TrustRefused("unlisted", f"{bundle.path} is not in the signed list of bundles")
    for name in ("sha256", "size", "digest", "name", "version"):
        if getattr(listed, name) != getattr(bundle, name):
            raise TrustRefused("unlisted", f"{bundle.path} is listed with another {name}")


def _check_serial(assignment: Assignment, verified: Verified, memory: Memory) -> None:
    last = memory.floors.get(memory.holder)
    holder = verified.documents[verified.holder]
    if last is None or not last.holds(holder.keys, holder.threshold):
        return  # other keys sign now: what the earlier ones signed counts no more
    if assignment.serial < memory.serial:
        what = f"number {assignment.serial}; {memory.serial} was already taken"
        raise TrustRefused("old_assignment", what)
    if assignment.serial == memory.serial and _digest(verified) != memory.assignment:
        what = f"number {assignment.serial} a second time, with another content"
        raise TrustRefused("old_assignment", what)


def _digest(verified: Verified) -> str:
    return hashlib.sha256(verified.assignment).hexdigest()


def _seconds(text: str) -> float:
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if at.tzinfo is None:
        raise ValueError(f"{text} is a time of nowhere: it has to end in Z")
    return at.timestamp()


def _day(at: float) -> str:
    """To the day: clocks are refused for days, and the words of a refusal should not change each
    time that it is repeated."""
    return iso(at)[:10]
