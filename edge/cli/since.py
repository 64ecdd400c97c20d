"""What people type for "since when". Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo

from edge.records import utc

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_since(text: str, wall: float, zone: tzinfo) -> str:
    """`90m`, `12h`, `7d`, `today`, `2026-11-20`, `2026-11-20T13:00`: UTC as records write it.

    A time without a zone is one of the station. Raises ValueError with what is allowed.
    """
    now = datetime.fromtimestamp(wall, zone)
    if text == "today":
        return utc(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
    if match := re.fullmatch(r"(\d{1,6})([smhd])", text):
        return utc((now - timedelta(**{UNITS[match[2]]: int(match[1])})).timestamp())
    try:
        # Python 3.10 does not know the Z.
        moment = datetime.fromisoformat(re.sub("Z$", "+00:00", text))
    except ValueError:
        raise ValueError(
            f"{text!r}: expected 90m, 12h, 7d, today, 2026-11-20 or 2026-11-20T13:00"
        ) from None
    local = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return utc(local.astimezone(timezone.utc).timestamp())
