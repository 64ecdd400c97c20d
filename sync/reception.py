"""From the fleet's word to a proven file in the inbox, without a network."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Protocol

from sync.asking import Asking
from sync.assignment import Assignment
from sync.backoff import Backoff
from sync.inbox import Entry, Inbox, Refusal, State
from sync.link import Trouble
from sync.refusals import REFUSALS, TrustRefused
from sync.transfer import Transfer

AGAIN_FIRST_S, AGAIN_MOST_S = 5.0, 120.0
JUDGE_EVERY_S = 1.0
RETRY_S = 30.0
NOTE_EVERY_S = 60.0
AGAIN_EVERY_S = 3600.0
"""What was accepted is judged anew: it may have expired since."""
MAY_CHANGE = frozenset({"wrong_clock", "expired", "not_stored", "no_trust_root"})
"""Refusals that depend on this station too: the same pack is judged again."""
HARMLESS = frozenset({"expired", "old_assignment"})
"""A retained pack that nobody has renewed: nothing is wrong with this station."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Accepted(Protocol):
    """A pack that was verified."""

    @property
    def assignment(self) -> Assignment:
        """The newest word for this station."""


class Judgement(Protocol):
    """Whether a pack is the fleet's word: see sync/trust.py."""

    def accept(self, pack: bytes) -> Accepted:
        """Verify and remember it. The same one again is accepted again. Raises TrustRefused."""

    def note_time(self) -> None:
        """To be called now and then."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """`max_bytes` of a bundle's file, and how many bytes a second may be asked for."""

    max_bytes: int = 200 * 10**6
    bytes_per_s: int | None = None


class Reception:
    """Judges packs, keeps the inbox's entry, and has one transfer at a time.

    What is accepted is written down before anything is done about it; then what belongs to an
    earlier assignment is deleted. `room` gives the bytes that may still be written (raises
    OSError), `wall` the time as records carry it, `chance` numbers from 0 to below 1, and
    `clock_set` says whether the clock was set since it last said so.
    """

    def __init__(
        self,
        inbox: Inbox,
        trust: Judgement,
        room: Callable[[], int],
        wall: Callable[[], str],
        bounds: Bounds,
        chance: Callable[[], float],
        clock_set: Callable[[], bool] = lambda: False,
    ) -> None:
        self.entry = inbox.read()
        self.transfer: Transfer | None = None
        self._inbox = inbox
        self._trust = trust
        self._room, self._wall = room, wall
        self._bounds, self._chance, self._clock_set = bounds, chance, clock_set
        self._pack: bytes | None = None
        self._accepted: bytes | None = None
        self._judge_at = self._judged_at = self._note_at = self._work_at = float("-inf")
        self._again_at = float("-inf")
        self._written = self.entry
        self._begun = False
        self._trouble: Trouble | None = None

    @property
    def troubles(self) -> list[Trouble]:
        """What is not as it should be, now."""
        found = [] if self._trouble is None else [self._trouble]
        code, refusal = self.entry.code, self.entry.refusal
        if code is not None:
            what = f"models: {REFUSALS[code].words}: {self.entry.why}"
            found.append(Trouble(what, REFUSALS[code].mend))
        if refusal is not None and refusal.code not in HARMLESS:
            what = f"models: the fleet's word was refused ({refusal.code}): {refusal.why}"
            found.append(Trouble(what, refusal.mend))
        if self.transfer is not None and self.transfer.asking.silent:
            what = f"models: nobody answers for pieces of {self.transfer.bundle.name}"
            found.append(Trouble(what, "start `edge-inspect fleet serve --repository DIR`"))
        return found

    @property
    def here(self) -> int:
        """Bytes of the file that are here."""
        if self.entry.bundle is None:
            return 0
        return self.entry.bytes if self.transfer is None else self.transfer.here

    @property
    def asks(self) -> bool:
        """Whether the file is to be fetched now."""
        said = self.entry.assignment
        return self.transfer is not None and said is not None and said.action == "run"

    def heard(self, pack: bytes, now: float) -> None:
        """A pack has come. Only the newest is judged, and no more than one a second."""
        if pack == self._accepted:
            if self._pack == pack:
                return  # it is being judged anew
            self._pack = None
            self.entry = replace(self.entry, refusal=None)
        elif pack and pack != self._pack:
            self._pack = pack
            self._judge_at = max(now, self._judged_at + JUDGE_EVERY_S)

    def work(self, now: float) -> bool:
        """Do a little of what is to be done; whether there is more to do at once."""
        if now >= self._note_at:
            self._note_at = now + NOTE_EVERY_S
            self._trust.note_time()
            if self.transfer is not None and self.transfer.gone:
                self._drop()
                self._begun, self._written = False, Entry()  # the word may be gone with it
        if self._clock_set() or now >= self._again_at:
            self._again_at = now + AGAIN_EVERY_S
            self._pack = self._pack or self._accepted
            self._judge_at = now
        if self._pack is not None and now >= self._judge_at:
            self._judged_at = now
            self._judge(self._pack, now)
        if now < self._work_at:
            return False
        try:
            return self._go_on()
        except OSError as error:
            self.disk_failed(error, now)
            return False

    def follow(self) -> None:
        """Say of the entry what the transfer says. Raises OSError."""
        transfer = self.transfer
        if transfer is None:
            return
        if transfer.phase == "done":
            self._turn("verified")
        elif transfer.phase == "failed":
            self._turn("refused", transfer.code, transfer.why)
            self._drop()
            self._inbox.sweep(None)
        elif transfer.phase == "fetching":
            state: State = "downloading" if transfer.asking.under_way else self.entry.state
            self._turn("assigned" if state == "verified" else state, transfer.code, transfer.why)

    def disk_failed(self, error: OSError, now: float) -> None:
        """Stop, and try again later with what is there then."""
        self._drop()
        self._begun = False
        self._work_at = now + RETRY_S
        code = "no_space" if error.errno in FULL else "not_stored"
        if self.entry.state in ("assigned", "downloading"):
            self.entry = self.entry.turned(self.entry.state, code, str(error))
            return
        self._trouble = Trouble(f"models: {REFUSALS[code].words}: {error}", REFUSALS[code].mend)

    def close(self) -> None:
        """Let the files go."""
        self._drop()

    def _go_on(self) -> bool:
        if self._written != self.entry:
            self._inbox.write(self.entry)
            self._written = self.entry
        if not self._begun:
            self._inbox.sweep(self.entry.bundle)
            self._begin()
        self._trouble = None
        if self.transfer is None:
            return False
        busy = self.transfer.work()
        self.follow()
        return busy

    def _judge(self, pack: bytes, now: float) -> None:
        try:
            accepted = self._trust.accept(pack)
        except TrustRefused as refused:
            if refused.code in MAY_CHANGE:
                self._judge_at = now + RETRY_S
            else:
                self._pack = None
            self._refused(refused)
            return
        try:
            self._assign(accepted.assignment)
        except OSError as error:
            self._judge_at = now + RETRY_S
            self.disk_failed(error, now)
            return
        self._pack, self._accepted = None, pack

    def _refused(self, refused: TrustRefused) -> None:
        before = self.entry.refusal
        if before is None or (before.code, before.why) != (refused.code, refused.what):
            said = Refusal(refused.code, refused.what, refused.mend, self._wall())
            self.entry = replace(self.entry, refusal=said)

    def _assign(self, assignment: Assignment) -> None:
        """Raises OSError; then everything is as before."""
        before = self.entry
        if assignment == before.assignment:
            self.entry = replace(before, refusal=None)
            return
        after = Entry(assignment, self._wall(), "assigned")
        if after.bundle is None:
            after = after.turned("none")
        elif before.state == "verified" and before.bundle == after.bundle:
            after = replace(after, state="verified", bytes=before.bytes)
        self._inbox.write(after)
        self.entry = self._written = after
        self._drop()
        self._begun = False

    def _begin(self) -> None:
        """What the entry asks for. Raises OSError."""
        self._begun = True
        entry = self.entry
        if entry.bundle is None or entry.assignment is None:
            return
        if entry.bundle.size > self._bounds.max_bytes:
            why = f"{entry.bundle.size} bytes; at most {self._bounds.max_bytes} are allowed"
            self._turn("refused", "oversized", why)
            self._inbox.sweep(None)
        elif entry.state == "refused" and entry.code != "oversized":
            self._inbox.sweep(None)
        elif entry.assignment.action == "run" or entry.state == "verified":
            patience = Backoff(self._chance, AGAIN_FIRST_S, AGAIN_MOST_S)
            asking = Asking(entry.bundle, self._bounds.bytes_per_s, patience)
            self.transfer = Transfer(self._inbox, entry.bundle, asking, self._room)

    def _turn(self, state: State, code: str | None = None, why: str | None = None) -> None:
        """Raises OSError; it is tried again then."""
        entry = replace(self.entry.turned(state, code, why), bytes=self.here)
        if (entry.state, entry.code) == (self.entry.state, self.entry.code):
            return
        self.entry = entry
        self._inbox.write(entry)
        self._written = entry

    def _drop(self) -> None:
        if self.transfer is not None:
            self.transfer.close()
            self.transfer = None


def progress(reception: Reception | None) -> dict[str, object]:
    """How far the file is: a part of `model/state`."""
    if reception is None:
        return {"state": "no_trust_root", "code": None, "why": None, "bytes": 0, "size": 0}
    entry = reception.entry
    return {
        "state": entry.state,
        "code": entry.code,
        "why": entry.why,
        "bytes": reception.here,
        "size": entry.bundle.size if entry.bundle else 0,
    }


def desired(entry: Entry) -> dict[str, object] | None:
    """What the station should run: a part of `model/state`."""
    if (said := entry.assignment) is None:
        return None
    return {
        "digest": said.bundle.digest,
        "name": said.bundle.name,
        "version": said.bundle.version,
        "serial": said.serial,
        "rollout": said.rollout,
        "action": said.action,
    }


def refusal(entry: Entry) -> dict[str, object] | None:
    """Why the newest pack was not taken: a part of `model/state`."""
    return None if entry.refusal is None else asdict(entry.refusal)
