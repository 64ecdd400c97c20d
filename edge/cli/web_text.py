"""What the status says of the page, in lines for people."""

from __future__ import annotations

from typing import Any


def web_lines(content: dict[str, Any]) -> list[str]:
    """Where it listens, who is there (how many, never who), what waits, what was refused."""
    scheme = "https" if content.get("tls") else "http"
    refused = content.get("refused") or {}
    lines = [
        f"{scheme}://{content.get('listen')}: {content.get('sessions')} signed in,"
        f" {content.get('streams')} pages open",
        f"waiting {content.get('waiting')}{_oldest(content.get('oldest_s'))}",
    ]
    if refused:
        shown = ", ".join(f"{code} {count}" for code, count in sorted(refused.items()))
        lines.append(f"refused since start: {shown}")
    return lines


def _oldest(seconds: object) -> str:
    return f", the oldest for {seconds:.0f} s" if isinstance(seconds, int | float) else ""
