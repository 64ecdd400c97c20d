"""Under which names this station answers, and from where a change may come.

A page of a stranger can make a browser send requests here (CSRF), and can give its own name the
address of this station (DNS rebinding). Neither gets past these two questions.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

LOCAL = ("localhost", "127.0.0.1", "::1")
PORTS = {"http": 80, "https": 443}


class Hosts:
    """The names in `Host` that are ours: what is configured, this machine's own, and the address
    at which the connection came in (nobody can rebind an address)."""

    def __init__(self, listen: str, names: Iterable[str], own: Iterable[str]) -> None:
        bound = listen.rpartition(":")[0].strip("[]").lower()
        every = (*LOCAL, bound, *names, *own)
        self._names = {_host(one)[0] for one in every if one} - {"0.0.0.0", "::", ""}

    def ours(self, host: str, server: str | None) -> bool:
        """Whether a `Host` header is one of ours. `server` is the address of the socket."""
        name, port = _host(host)
        if not name or port is None:
            return False
        return name in self._names or (server is not None and _same_address(name, server))


def own_origin(headers: Mapping[str, str], scheme: str) -> bool:
    """Whether a request that changes something comes from our own page, at this very address.

    Browsers say `Origin` with every such request; where it is missing, `Sec-Fetch-Site` must say
    `same-origin`.
    """
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site") == "same-origin"
    host = headers.get("host", "")
    try:
        parts = urlsplit(origin)
        if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
            return False
    except ValueError:
        return False
    return parts.scheme == scheme and _where(parts.netloc, scheme) == _where(host, scheme)


def _where(host: str, scheme: str) -> tuple[str, int] | None:
    name, port = _host(host)
    if not name or port is None:
        return None
    return name, port or PORTS.get(scheme, 0)


def _host(host: str) -> tuple[str, int | None]:
    """Name and port (0: none given; None: not a port) of `name`, `name:port`, `[v6]:port`, `v6`."""
    text = host.strip().lower()
    if text.startswith("["):
        name, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") > 1:
        name, port = text, ""
    else:
        name, _, port = text.partition(":")
    if port and not (port.isascii() and port.isdigit() and int(port) < 65536):
        return name, None
    if any(letter in name for letter in "/\\@?# \t\0"):
        return "", None
    return name.rstrip("."), int(port or 0)


def _same_address(name: str, server: str) -> bool:
    try:
        asked, bound = ipaddress.ip_address(name), ipaddress.ip_address(server.split("%")[0])
    except ValueError:
        return False
    if isinstance(bound, ipaddress.IPv6Address) and bound.ipv4_mapped is not None:
        return asked in (bound, bound.ipv4_mapped)
    return asked == bound
