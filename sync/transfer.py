"""One bundle's file on its way: what is here is looked at, the rest is asked for, the whole is
proven."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Literal

from sync.asking import Asking
from sync.assignment import BundleFile
from sync.inbox import Inbox
from sync.incoming import Incoming, PieceError, Proof

Phase = Literal["checking", "looking", "fetching", "proving", "done", "failed"]
Word = Literal["new", "twice", "foreign"]
MOST_WRONG = 8
WRONG_AGAIN_S = 3600.0
"""After so many pieces in a row that are not what was signed nothing is asked for so long, or until
a right one comes: whoever else may write to the broker can delay a transfer, and not end it."""
ROOM_EVERY_S = 5.0


class Transfer:
    """Fetches one file into the inbox. `work` does a bounded piece of disk work; `ask` says what
    to ask for; `take` stores what comes. All raise OSError where the disk does not do its part:
    then a new transfer goes on with what is there.

    `room` gives the bytes that may still be written. `code` and `why` say what it waits for, or why
    it has `failed`, which is final.
    """

    def __init__(
        self, inbox: Inbox, bundle: BundleFile, asking: Asking, room: Callable[[], int]
    ) -> None:
        self.bundle = bundle
        self.asking = asking
        self.code: str | None = None
        self.why: str | None = None
        self._inbox = inbox
        self._room = room
        self._room_at = float("-inf")
        self._wrong = 0
        self._again_at = float("-inf")
        self._fetched = self._doubted = False
        self._incoming: Incoming | None = None
        self._whole: int | None = None
        self._proof = Proof(bundle)
        self.phase: Phase = "checking"

    @property
    def here(self) -> int:
        """Bytes that are here and right."""
        if self.phase == "done":
            return self.bundle.size
        return self._incoming.bytes if self._incoming else 0

    @property
    def idle(self) -> bool:
        """Whether there is no work to do before something comes."""
        return self.phase in ("fetching", "done", "failed")

    @property
    def gone(self) -> bool:
        """Whether the whole file was here, and somebody has taken it away."""
        return self.phase == "done" and not os.path.exists(self._inbox.file(self.bundle))

    def work(self) -> bool:
        """Do a little; whether there is more to do at once."""
        if self.phase == "checking":
            self._check()
        elif self.phase == "looking":
            if not self._pieces.look():
                self._look_on()
        elif self.phase == "proving":
            self._prove()
        return not self.idle

    def ask(self, now: float) -> list[int]:
        """Numbers of pieces to ask for now."""
        if self.phase != "fetching" or now < self._again_at or not self._has_room(now):
            return []
        return self.asking.next(self._pieces.missing(), now)

    def take(self, number: int, data: bytes, now: float) -> Word:
        """A piece has come: whether it was new, or is here already, or nobody asked for it. Raises
        PieceError where it is not what was signed; after too many nothing is asked for a while."""
        if number >= len(self.bundle.pieces) or self.phase != "fetching":
            return "twice" if self.phase in ("proving", "done") else "foreign"
        if self._pieces.holds(number):
            return "twice"
        if not self.asking.asked_for(number):
            return "foreign"
        try:
            self._pieces.put(number, data)
        except PieceError as error:
            self._spoilt(error, now)
            raise
        self._wrong, self._fetched = 0, True
        if now < self._again_at:
            self._again_at, self.code, self.why = now, None, None
        self.asking.came(number, now)
        if self._pieces.complete:
            self.phase = "proving"
        elif self._pieces.unsynced >= self.asking.window * self.bundle.piece:
            self._pieces.sync()
        return "new"

    def close(self) -> None:
        """Let the files go. May be called twice."""
        if self._incoming is not None:
            self._incoming.close()
        if self._whole is not None:
            os.close(self._whole)
            self._whole = None

    @property
    def _pieces(self) -> Incoming:
        assert self._incoming is not None
        return self._incoming

    def _check(self) -> None:
        """Is the whole file here already?"""
        if self._whole is None:
            try:
                path = self._inbox.file(self.bundle)
                self._whole = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            except FileNotFoundError:
                self._incoming = self._inbox.open(self.bundle)
                self.phase = "looking"
                return
        right = self._proof.step(self._whole)
        if right is None:
            return
        os.close(self._whole)
        self._whole = None
        if right:
            self.phase = "done"
        else:
            self._incoming = self._inbox.reopen(self.bundle)
            self.phase = "looking"

    def _look_on(self) -> None:
        if not self._pieces.complete:
            self.phase = "fetching"
        elif self._doubted and not self._fetched:
            why = "every piece is right, and the whole is not what was signed"
            self._fail("wrong_bytes", why)
        else:
            self.phase = "proving"

    def _prove(self) -> None:
        right = self._pieces.prove()
        if right:
            self._pieces.finish(self._inbox.file(self.bundle))
            self.phase = "done"
        elif right is False:  # the disk has changed a piece, or the hashes do not belong together
            self._pieces.doubt()
            self._doubted, self._fetched = True, False
            self.phase = "looking"

    def _spoilt(self, error: PieceError, now: float) -> None:
        self._wrong += 1
        if self._wrong >= MOST_WRONG and now >= self._again_at:
            self._wrong, self._again_at = 0, now + WRONG_AGAIN_S
            self.code = error.code
            self.why = f"{MOST_WRONG} pieces in a row are wrong, the last: {error}"

    def _has_room(self, now: float) -> bool:
        """For the file, and for unpacking it; looked at before the first piece, and now and then
        while there is too little."""
        if now < self._room_at:
            return self.code != "no_space"
        needed = 2 * self.bundle.size - self.here
        found = self._room()
        self._room_at = now + ROOM_EVERY_S
        enough = found >= needed
        self.code = None if enough else "no_space"
        self.why = None if enough else f"{needed} bytes are needed, {max(found, 0)} are free"
        return enough

    def _fail(self, code: str, why: str) -> None:
        self.phase, self.code, self.why = "failed", code, why
        self.close()
