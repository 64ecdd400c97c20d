"""What persons type: which texts are taken.

Nothing is repaired: a text with characters that could deceive a reader or end a line is refused.
Everything else, `<script>` and `../` too, is only text: it is escaped where it is shown and names
no file.
"""

from __future__ import annotations

import unicodedata

from edge.access.denied import Denied

JOINERS = "\u200c\u200d"
"""Some scripts cannot be written without them."""
LINES = "\n\r\t"
NAME = 60
BADGE_SHORTEST = 8
BADGE_LONGEST = 128
NUMBER_LONGEST = 8


def harmless(text: str) -> bool:
    """Whether a text has no control characters (but ends of lines), no marks that turn the
    direction of reading, no half characters."""
    for letter in text:
        kind = unicodedata.category(letter)
        if kind in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and letter not in JOINERS + LINES:
            return False
    return True


def name(text: str) -> str:
    """A person's or machine's name, in one form of its characters. Raises Denied."""
    shown = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(shown) <= NAME or not harmless(shown) or any(one in shown for one in LINES):
        raise Denied("nonsense", f"a name has 1 to {NAME} characters that can be seen")
    return shown


def number(text: str) -> str:
    """A person's number. Raises Denied."""
    if not (1 <= len(text) <= NUMBER_LONGEST and text.isascii() and text.isdigit()):
        raise Denied("nonsense", f"a number has 1 to {NUMBER_LONGEST} digits")
    return text


def badge(text: str) -> str:
    """What a badge types, without the reader's own end of line. Raises Denied."""
    shown = text.strip()
    if not BADGE_SHORTEST <= len(shown) <= BADGE_LONGEST or not shown.isprintable():
        raise Denied("nonsense", f"a badge types {BADGE_SHORTEST} to {BADGE_LONGEST} characters")
    return shown
