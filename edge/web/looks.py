"""Where the model looked, for the parts on the screens: one at a time, and remembered."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from edge.config import Config
from edge.log import log
from edge.review.case import Case
from edge.web.looking import LATER, Look, Looker, NoLook, Now, Subject, Why

MOST_WAITING = 8
"""More than so many people look at: the oldest wish is dropped, and can be made again."""
MOST_KEPT = 200
MOST_BYTES = 32 * 1024 * 1024
AGAIN_S = 60.0
"""What failed for want of time or by a dead child may be tried again after so long."""


@dataclass(frozen=True, slots=True)
class Pending:
    """It is being worked out."""


PENDING = Pending()


@dataclass(frozen=True, slots=True)
class _Refusal:
    why: Why
    at_ns: int


class Looks:
    """Overlays by inspection. `want` and `get` from any thread; `step` and `run` from one.

    Only parts whose answer may be seen, scored by the bundle and the view that are configured.
    Newest wishes first: that is what is on a screen now. It never raises.
    """

    def __init__(self, config: Config, now: Now = time.monotonic_ns) -> None:
        self._on = config.web.look
        self._now = now
        self._looker = Looker(config, now)
        self._waiting: OrderedDict[str, Subject] = OrderedDict()
        self._known: OrderedDict[str, Look | _Refusal] = OrderedDict()
        self._bytes = 0
        self._at_work: str | None = None
        self._changed = threading.Condition()
        self._ended = False
        self._thread: threading.Thread | None = None

    def want(self, case: Case, view: str | None = None, may_see: bool | None = None) -> None:
        """Have it worked out, unless it is known. `view` is that of the record, where it is there.

        `may_see` where more than the case tells whether the answer may be seen now.
        """
        if not (case.shows if may_see is None else may_see):
            return
        subject = _subject(case, view) if self._on else "off"
        with self._changed:
            if self._is_known(case.inspection):
                return
            if not isinstance(subject, Subject):
                self._keep(case.inspection, _Refusal(subject, self._now()))
                return
            self._waiting[case.inspection] = subject
            self._waiting.move_to_end(case.inspection)
            while len(self._waiting) > MOST_WAITING:
                self._waiting.popitem(last=False)
            self._changed.notify_all()

    def get(self, inspection: str) -> bytes | Pending | None:
        """The overlay as PNG; PENDING while it is worked out; None where there is none."""
        with self._changed:
            if inspection in self._waiting or inspection == self._at_work:
                return PENDING
            found = self._known.get(inspection)
            return found.png if isinstance(found, Look) else None

    def about(self, inspection: str) -> Look | Why | None:
        """What is known beside the overlay, or why there is none; None where nobody asked yet."""
        with self._changed:
            found = self._known.get(inspection)
            return found.why if isinstance(found, _Refusal) else found

    def fits(self, view: str | None) -> bool:
        """Whether pictures of this view are those of the configured camera, as far as is known."""
        return self._looker.fits(view)

    @property
    def pid(self) -> int | None:
        """The child's process id, while there is one."""
        return self._looker.pid

    def step(self) -> float | None:
        """One look, where one is wanted; else end a child that is idle. How long nothing will be to
        do: 0 after a look, None while only a wish can change that."""
        with self._changed:
            if not self._waiting:
                subject = None
            else:
                self._at_work, subject = self._waiting.popitem(last=True)
        if subject is None:
            return self._looker.rest()
        found = self._looked(subject)
        with self._changed:
            self._at_work = None
            self._keep(subject.inspection, found)
        return 0.0

    def run(self) -> None:
        """Look until `close`."""
        while not self._ended:
            left = self.step()
            with self._changed:
                if left != 0.0 and not self._waiting and not self._ended:
                    self._changed.wait(left)
        self._looker.close()

    def start(self) -> None:
        """Run in a thread of its own."""
        self._thread = threading.Thread(target=self.run, name="looks", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread, after the look that it is at, and the child."""
        with self._changed:
            self._ended = True
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is None:
            self._looker.close()
        else:
            self._looker.stop()
            self._thread.join()
            self._thread = None

    def _looked(self, subject: Subject) -> Look | _Refusal:
        try:
            return self._looker.look(subject)
        except NoLook as refusal:
            log.info("looks.none", inspection=subject.inspection, why=refusal)
            return _Refusal(refusal.why, self._now())
        except Exception:  # a mistake of ours must not end the thread
            log.exception("looks.failed", inspection=subject.inspection)
            return _Refusal("model_fails", self._now())

    def _is_known(self, inspection: str) -> bool:
        if inspection == self._at_work:
            return True
        found = self._known.get(inspection)
        if isinstance(found, _Refusal) and found.why in LATER:
            return self._now() - found.at_ns < AGAIN_S * 1e9
        return found is not None

    def _keep(self, inspection: str, found: Look | _Refusal) -> None:
        before = self._known.pop(inspection, None)
        self._bytes += _size(found) - _size(before)
        self._known[inspection] = found
        while len(self._known) > MOST_KEPT or self._bytes > MOST_BYTES:
            _, oldest = self._known.popitem(last=False)
            self._bytes -= _size(oldest)


def _subject(case: Case, view: str | None) -> Subject | Why:
    """What the case says is to be looked at, or why there is nothing to look at."""
    score = case.answer.get("score")
    if case.bundle is None or score is None:
        return "no_score"
    if case.path is None or case.picture is None:
        return "no_picture"
    return Subject(case.inspection, case.path, case.picture, case.bundle, view, float(score))


def _size(found: Look | _Refusal | None) -> int:
    return len(found.png) if isinstance(found, Look) else 0
