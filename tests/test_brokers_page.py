"""docs/brokers.md: its commands make certificates that a real broker and we accept."""

from __future__ import annotations

import re
import ssl
import subprocess

import pytest

from sync.broker import Address, Login
from sync.fleet.acl import mosquitto
from sync.login import tls_context
from sync.mqtt import MqttTransport, Settings
from sync.transport import Acknowledged
from tests.pages import section, text
from tests.simulators.broker import free_port, running_broker
from tests.simulators.patience import until

STATION = "plant-a/line-3/caps"


@pytest.fixture
def made(tmp_path):
    """The folder in which all blocks of the section were typed, one after the other."""
    commands = re.findall(
        r"```sh\n(.*?)```", section(text("docs/brokers.md"), "Certificates"), re.S
    )
    assert len(commands) == 3
    for command in commands:
        subprocess.run(
            ["bash", "-e", "-c", command.replace("192.0.2.10", "127.0.0.1")],
            cwd=tmp_path, check=True, capture_output=True,
        )  # fmt: skip
    return tmp_path


@pytest.mark.broker
def test_the_commands_make_certificates_that_work(made):
    port = free_port()
    (made / "acl").write_text(mosquitto(["central"]))
    (made / "acl").chmod(0o600)
    rules = (
        f"acl_file {made}/acl",
        "allow_anonymous false",
        f"listener {port} 127.0.0.1",
        f"cafile {made}/ca.pem",
        f"certfile {made}/broker.pem",
        f"keyfile {made}/broker.key",
        "require_certificate true",
        "use_identity_as_username true",
    )
    login = Login(ca=made / "ca.pem", certificate=made / "station.pem", key=made / "station.key")
    with running_broker(made / "mosquitto", rules):
        settings = Settings(Address("127.0.0.1", port, True), "caps", login)
        transport, seen = MqttTransport(settings), []
        try:
            transport.connect()
            until(lambda: seen.extend(transport.events()) or seen, lambda: transport.wait(0.2))
            token = transport.publish(f"ei/v1/{STATION}/status", b"{}")
            until(
                lambda: seen.extend(transport.events()) or len(seen) > 1,
                lambda: transport.wait(0.2),
            )
            assert Acknowledged(token) in seen
        finally:
            transport.close()


@pytest.mark.broker
def test_they_satisfy_the_strictest_reader_too(made):
    """Python 3.13 and later are stricter by default; other clients of the broker may be it."""
    port = free_port()
    rules = (
        f"listener {port} 127.0.0.1",
        f"certfile {made}/broker.pem",
        f"keyfile {made}/broker.key",
        "allow_anonymous true",
    )
    context = tls_context(Login(ca=made / "ca.pem"))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with running_broker(made / "mosquitto", rules):
        from sync.dial import dial

        with dial(Address("127.0.0.1", port, True), context, 20) as connection:
            assert connection.getpeercert()["subject"] == (
                (("commonName", "broker.plant.example"),),
            )
