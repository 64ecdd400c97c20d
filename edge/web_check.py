"""What can be seen of access to the page: where it listens, its certificate, its key."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from edge.checks import Finding
from edge.config import Config
from edge.web.certificate import beyond_loopback, files_of, not_after

MEND = "edge-inspect web certificate"
WARN_DAYS = 30
DAY_S = 86_400.0


def needs_certificate(config: Config) -> str | None:
    """Why the page would not start; None where it would, as far as TLS is concerned."""
    if not beyond_loopback(config.web) or files_of(config) is not None:
        return None
    return (
        f"web.listen: {config.web.listen} can be reached from other machines, so that it needs a"
        f" certificate: `{MEND}` makes one"
    )


def check_web(config: Config) -> Iterator[Finding]:
    """Where the page listens, whether it has the certificate that this takes, until when."""
    missing = needs_certificate(config)
    if missing is not None:
        yield Finding("web", "fail", missing, MEND)
        return
    if not beyond_loopback(config.web):
        yield Finding("web", "ok", f"{config.web.listen}: this machine only")
    else:
        yield Finding("web", "ok", f"{config.web.listen}, TLS")
    files = files_of(config)
    if files is not None:
        yield from _certificate(files[0])
        yield from _key(files[1])


def _certificate(path: Path) -> Iterator[Finding]:
    try:
        end = not_after(path)
    except (OSError, ValueError) as error:
        yield Finding("web", "fail", f"{path}: {error}", MEND)
        return
    left = int((end.timestamp() - time.time()) // DAY_S)
    if left < 0:
        yield Finding("web", "fail", f"the page's certificate ended on {end:%Y-%m-%d}", MEND)
    elif left < WARN_DAYS:
        yield Finding("web", "warn", f"the page's certificate ends in {left} days", MEND)
    else:
        yield Finding("web", "ok", f"the page's certificate ends on {end:%Y-%m-%d}")


def _key(path: Path) -> Iterator[Finding]:
    try:
        others = path.stat().st_mode & 0o007
    except OSError as error:
        yield Finding("web", "fail", f"{path}: {error.strerror}", MEND)
        return
    if others:
        yield Finding("web", "warn", f"{path} can be read by everybody here", f"chmod 600 {path}")
