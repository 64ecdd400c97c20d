"""The answer that a child owes, and when it is overdue. Pure."""

from __future__ import annotations

STOOD_STILL_NS = 10**9
"""Who comes to look so much later than was due did not run meanwhile."""
ONCE_MORE = 4
"""A child that stood still has this part of its time once more."""


class Outstanding:
    """At most one request. Times are monotonic, in ns."""

    def __init__(self) -> None:
        self._sent_ns: int | None = None
        self._due_ns = 0

    @property
    def open(self) -> bool:
        """Whether an answer is owed."""
        return self._sent_ns is not None

    def sent(self, at_ns: int) -> None:
        """A request was sent."""
        self._sent_ns = self._due_ns = at_ns

    def settled(self) -> None:
        """It was answered, or never will be."""
        self._sent_ns = None

    def waits(self, until_ns: int) -> None:
        """Whoever looks waits until then, and looks again."""
        self._due_ns = until_ns

    def overdue_at(self, now_ns: int, hang_ms: float) -> int:
        """When the answer is overdue, for one who looks now and will look again soon.

        Where the whole machine or this process stood still (a virtual machine that was halted, a
        frozen group of processes), the child did, too: that is no hang of its model. It shows in a
        look that comes far too late; such a look is not the last one. A model that hangs all the
        same is found so much later.
        """
        hang_ns = int(hang_ms * 1e6)
        if self._sent_ns is None:
            return now_ns + hang_ns
        if now_ns > self._due_ns + STOOD_STILL_NS:
            self._sent_ns = max(self._sent_ns, now_ns - hang_ns + hang_ns // ONCE_MORE)
        self._due_ns = now_ns
        return self._sent_ns + hang_ns
