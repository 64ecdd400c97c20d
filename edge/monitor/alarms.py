"""Alarms: each cause is raised once and ended once, however often it is seen. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge.records import Alarm, Moment, Origin


@dataclass(frozen=True, slots=True)
class Standing:
    """An alarm that is raised now."""

    cause: str
    message: str
    since: Moment


class Alarms:
    """What is raised now. Not thread-safe: the tend thread owns it."""

    def __init__(self, origin: Origin, new_id: Callable[[], str]) -> None:
        self._origin = origin
        self._new_id = new_id
        self._standing: dict[str, Standing] = {}

    @property
    def standing(self) -> tuple[Standing, ...]:
        """All raised alarms, oldest first."""
        return tuple(self._standing.values())

    def see(self, cause: str, message: str | None, moment: Moment) -> Alarm | None:
        """The cause is there (`message`) or not (None). The record of a change, if it is one."""
        standing = self._standing.get(cause)
        if message is not None and standing is None:
            self._standing[cause] = Standing(cause, message, moment)
            return self._record(cause, "raised", message, moment)
        if message is None and standing is not None:
            del self._standing[cause]
            return self._record(cause, "ended", standing.message, moment)
        return None

    def _record(self, cause: str, state: str, message: str, moment: Moment) -> Alarm:
        return Alarm(
            id=self._new_id(),
            origin=self._origin,
            decided=moment,
            cause=cause,
            state="raised" if state == "raised" else "ended",
            message=message,
        )
