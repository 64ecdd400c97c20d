"""Whether browsers come by TLS, and with which certificate."""

from __future__ import annotations

import ssl

from edge.config import Config
from edge.config_file import ConfigError
from edge.web.certificate import beyond_loopback, files_of
from edge.web_check import needs_certificate


def context(config: Config) -> ssl.SSLContext | None:
    """For the server; None for plain HTTP, which is for this machine alone.

    Raises ConfigError where other machines can reach the page and there is no certificate, or
    where the one there cannot be used.
    """
    beyond, found = beyond_loopback(config.web), files_of(config)
    if not beyond and config.web.certificate_file is None:
        return None
    if found is None:
        raise ConfigError((), needs_certificate(config) or "")
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_cert_chain(*found)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError((), f"web: {found[0]}, {found[1]}: {error}") from error
    return made
