"""The names and addresses of this machine, as other machines may call it. Asks no name server."""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

SIOCGIFADDR = 0x8915
IF_INET6 = Path("/proc/net/if_inet6")
GLOBAL = "00"


def host_name() -> str:
    """As the kernel knows it."""
    return socket.gethostname()


def reached_at(listen: str, secure: bool) -> str:
    """What a person types into a browser for `host:port`; where that is every address of this
    machine, its name."""
    host, _, port = listen.rpartition(":")
    if host.strip("[]") in ("", "0.0.0.0", "::"):
        host = host_name()
    return f"{'https' if secure else 'http'}://{host}:{port}"


def addresses() -> list[str]:
    """Of every interface but the loopback, IPv4 first."""
    found = [*_version_4(), *_version_6()]
    return [one for one in dict.fromkeys(found) if not ipaddress.ip_address(one).is_loopback]


def _version_4() -> Iterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            with contextlib.suppress(OSError):  # one without an address
                answer = fcntl.ioctl(asking.fileno(), SIOCGIFADDR, request)
                yield socket.inet_ntoa(answer[20:24])


def _version_6() -> Iterator[str]:
    try:
        lines = IF_INET6.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        digits, _, _, scope, *_ = line.split()
        if scope == GLOBAL:
            yield str(ipaddress.IPv6Address(bytes.fromhex(digits)))
