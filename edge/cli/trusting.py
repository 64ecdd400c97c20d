"""How a tablet comes to trust the station's authority, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.config import Config
    from edge.web.certificate import Made


def how_to_trust(config: Config, made: Made) -> list[str]:
    """Once for each tablet. The file is no secret; its fingerprint says that it is the one."""
    from edge.web.certificate import beyond_loopback

    where = made.names[0] if ":" not in made.names[0] else f"[{made.names[0]}]"
    port = config.web.listen.rpartition(":")[2]
    lines = [
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
    if not beyond_loopback(config.web):
        lines.append(f"web.listen is {config.web.listen}: other machines cannot reach it yet.")
    return lines
