"""What every answer says to the browser, errors and static files too. Pure."""

from __future__ import annotations

from collections.abc import Iterable

CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "manifest-src 'self'",
    )
)
ALWAYS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), usb=(), serial=(), payment=()",
}
"""`no-referrer` would make browsers send forms with `Origin: null`, which is refused."""
UNLESS_SAID = {"cache-control": "no-store"}
Headers = list[tuple[bytes, bytes]]


def completed(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The headers of an answer with ours: no endpoint can weaken them, caching alone is theirs."""
    kept = [
        (name, value) for name, value in headers if name.decode("latin-1").lower() not in ALWAYS
    ]
    said = {name.decode("latin-1").lower() for name, _ in kept}
    for name, value in UNLESS_SAID.items():
        if name not in said:
            kept.append((name.encode(), value.encode()))
    return kept + [(name.encode(), value.encode()) for name, value in ALWAYS.items()]
