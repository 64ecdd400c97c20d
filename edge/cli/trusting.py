"""How a tablet comes to trust the station's authority, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.config import Config
    from edge.web.certificate import Made

PORT = "8443"
"""Proposed where the page is still for this machine only."""


def how_to_trust(config: Config, made: Made) -> list[str]:
    """Once for each tablet. The file is no secret; its fingerprint says that it is the one."""
    from edge.web.certificate import beyond_loopback

    where = made.names[0] if ":" not in made.names[0] else f"[{made.names[0]}]"
    port = config.web.listen.rpartition(":")[2]
    first: list[str] = []
    if not beyond_loopback(config.web):
        where, port = _known_outside(made.names), PORT
        first = [
            "",
            f"web.listen is {config.web.listen}: other machines cannot reach it yet. Set",
            f'  web: {{listen: "0.0.0.0:{PORT}"}}',
        ]
    return [
        *first,
        "",
        f"Bring {made.files.authority} to each tablet, by cable or USB stick, not by e-mail.",
        f"Its SHA-256 fingerprint is {made.fingerprint}.",
        "  Android: Settings, Security, Encryption and credentials, Install a certificate,",
        "    CA certificate; choose ca.pem. Chrome takes it; Firefox asks in its own settings.",
        "  iPad: open ca.pem (Files), then Settings, General, VPN and device management, Install;",
        "    then General, About, Certificate trust settings: switch it on.",
        "  Windows: certutil -addstore Root ca.pem as administrator, or double-click it renamed to",
        "    ca.crt: Install, Local machine, Trusted root certification authorities.",
        f"Then open https://{where}:{port}/ there.",
    ]


def _known_outside(names: tuple[str, ...]) -> str:
    """The first name that is not this machine's word for itself."""
    outside = (one for one in names if one != "localhost" and not one.startswith("127."))
    return next(outside, names[0])
