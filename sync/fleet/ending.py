"""Whether what the fleet has signed ends or has ended: stations take nothing new then. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from sync.fleet.standing import WARN_S, Trouble, seconds

EXPIRED, ENDS = "expired", "ends_soon"
NOT_RENEWED_S = 4 * 86400.0
"""What should be renewed when it is a day old, and was not for three."""
_SERVE = "edge-inspect fleet serve --repository … renews it daily: start it, or look at its log"
_SIGN = "edge-inspect fleet keys sign --renew, by those whose keys sign it"


def ending(newest: Callable[[str], bytes | None], now: float) -> Iterator[Trouble]:
    """What is to be said at this wall time of the newest documents; nothing of those that are not
    there."""
    for name, what, warn_s, mend in (
        ("root", "the root, which says whose keys count,", WARN_S, _SIGN),
        ("targets", "the signed list of bundles", WARN_S, _SIGN),
        ("timestamp", "what the fleet signs by itself", NOT_RENEWED_S, _SERVE),
    ):
        body = newest(name)
        if body is None:
            continue
        until = str(json.loads(body)["signed"]["expires"])
        left = (seconds(until) or 0.0) - now
        if left < 0:
            yield Trouble(EXPIRED, f"{what} ended on {until[:10]}: nothing new is taken", mend)
        elif left < warn_s:
            yield Trouble(ENDS, f"{what} ends on {until[:10]}", mend)
