"""Numbers as a report shows them. Pure."""

from __future__ import annotations

import math
import re

NONE = "–"
THIN = "\u202f"
"""A narrow space at which no line breaks."""


def percent(share: float | None, digits: int = 3) -> str:
    """A share as per cent with so many significant digits, never in powers of ten: `0.48 %`.

    Only 0 and 1 themselves are shown as 0 and 100.
    """
    if share is None:
        return NONE
    value = 100 * share
    if value in (0, 100):
        return f"{value:.0f}{THIN}%"
    size = math.floor(math.log10(abs(value)))
    shown = f"{value:.{max(0, digits - 1 - size)}f}"
    if float(shown) >= 100 > value:
        return f"> {'99.' + '9' * max(1, digits - 2)}{THIN}%"
    return f"{shown}{THIN}%"


def bound(share: float | None, digits: int = 3) -> str:
    """An upper bound as `percent`, rounded upwards: what is printed still holds."""
    if share is None or share <= 0 or share >= 1:
        return percent(share, digits)
    step = 10.0 ** (math.floor(math.log10(share)) + 1 - digits)
    # a share that already has so few digits must not become the next larger one
    return percent(min(1.0, math.ceil(share / step - 1e-9) * step), digits)


def moment(utc: str) -> str:
    """A time of a record for people: `2026-11-20 12:00 UTC`; anything else as it is."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):[\d.]+Z", utc)
    return utc if found is None else f"{found[1]} {found[2]} UTC"


def asked(share: float | None) -> str:
    """A share that somebody chose (a target, a confidence), as it was chosen: `1 %`, `99.9 %`."""
    return NONE if share is None else f"{100 * share:.10g}{THIN}%"


def count(value: float | None) -> str:
    """A number of things: thousands apart, decimals only where it is small."""
    if value is None:
        return NONE
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.2g}"


def full(cut: float) -> str:
    """A cut with every digit, so that it can be typed again."""
    return repr(float(cut))


def short(cut: float) -> str:
    """A cut for a picture or a sentence, where the full one stands elsewhere."""
    return f"{cut:.4g}"


def ratio(value: float | None) -> str:
    """An AUROC, precision, recall or F1."""
    return NONE if value is None else f"{value:.4f}"
