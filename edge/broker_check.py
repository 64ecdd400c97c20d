"""What can be seen of the broker from here: does it take us, what does it allow, until when."""

from __future__ import annotations

import ipaddress
import os
import time
from collections.abc import Callable, Iterator

from edge import broker
from edge.checks import Finding
from edge.config import Config, Sync
from sync.acknowledgement import Rewind, encode_rewind
from sync.broker import BrokerError
from sync.expiry import Lifetime, date, days_left, warnings
from sync.mqtt import MqttTransport
from sync.settings import Settings
from sync.topics import Station
from sync.transport import Acknowledged, Connected, Disconnected, Event, Refused

CONNECT_WITHIN_S = 15.0
ANSWER_WITHIN_S = 5.0
SESSION_S = 60
SMALL_PACKET = 100_000
SMALL_WINDOW = 8
LONG_KEEP_ALIVE_S = 60
READ_MORE = "docs/brokers.md says why"


def check_broker(config: Config) -> Iterator[Finding]:
    """Whether the broker takes us, what it allows, and which certificates end soon."""
    if config.sync is None:
        yield Finding("broker", "ok", "none configured: nothing leaves this machine")
        return
    try:
        settings = broker.settings(
            config.sync, f"ei/{config.station.path}/check-{os.getpid()}", session_s=SESSION_S
        )
    except BrokerError as error:
        yield Finding("broker", "fail", str(error), "correct sync.broker")
        return
    with Visit(settings) as visit:
        found = visit.connect()
        if isinstance(found, Connected):
            yield Finding("broker", "ok", f"{settings.address} takes us; {_delivered(config.sync)}")
            yield from limits(found, config.sync)
            yield from rights(visit, Station.parse(config.station.path), config.sync)
        else:
            yield Finding("broker", "warn", found.what, found.mend)
        yield from secrets(settings, config.sync)
        watch = broker.CertificateWatch(settings, visit.transport)
        if settings.address.tls:
            yield from certificates(watch.lifetimes(), settings.facts().now)


class Visit:
    """A client of our own name and rights, for a few questions."""

    def __init__(self, settings: Settings) -> None:
        self.transport = MqttTransport(settings)

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *error: object) -> None:
        self.transport.close()

    def connect(self) -> Connected | Disconnected:
        """Connect, anew if need be; why not, if not."""
        self.transport.connect()
        event = self._wait(lambda one: isinstance(one, Connected | Disconnected), CONNECT_WITHIN_S)
        if isinstance(event, Connected | Disconnected):
            return event
        return Disconnected("the broker does not answer", "check address, network and firewall")

    def may_write(self, topic: str, payload: bytes = b"") -> bool:
        """Whether the broker takes a message. Some hang up instead of refusing: hence `connect`."""
        if not isinstance(self.connect(), Connected):
            return False
        return self._taken(self.transport.publish(topic, payload))

    def may_read(self, topic: str) -> bool:
        """Whether the broker grants a subscription."""
        if not isinstance(self.connect(), Connected):
            return False
        return self._taken(self.transport.subscribe(topic))

    def _taken(self, token: int) -> bool:
        def answers(event: Event) -> bool:
            mine = isinstance(event, Acknowledged | Refused) and event.token == token
            return mine or isinstance(event, Disconnected)

        return isinstance(self._wait(answers, ANSWER_WITHIN_S), Acknowledged)

    def _wait(self, wanted: Callable[[Event], bool], within_s: float) -> Event | None:
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            for event in self.transport.events():
                if wanted(event):
                    return event
            self.transport.wait(0.2)
        return None


def limits(found: Connected, sync: Sync) -> Iterator[Finding]:
    """What the broker announced when it took us, where that is too little."""
    collected = sync.acknowledge == "collector"
    if found.most_qos < 1:
        what = "the broker takes QoS 0 only: nothing can be acknowledged, nothing is delivered"
        yield Finding("broker", "fail", what, "allow QoS 1 (mosquitto: max_qos 1)")
    if found.largest_packet < SMALL_PACKET:
        what = f"the broker takes at most {found.largest_packet} bytes in a message"
        mend = f"raise max_packet_size to {SMALL_PACKET} or more, or leave it out; {READ_MORE}"
        yield Finding("broker", "warn", what, mend)
    if found.receive_maximum < SMALL_WINDOW:
        what = (
            f"the broker takes {found.receive_maximum} messages at a time: a backlog drains slowly"
        )
        mend = f"raise max_inflight_messages to {SMALL_WINDOW} or more; {READ_MORE}"
        yield Finding("broker", "warn", what, mend)
    if not found.keeps_retained:
        what = "the broker keeps no retained messages: status" + (
            " and acknowledgements are" if collected else " is"
        )
        yield Finding(
            "broker", "warn", f"{what} not known to those who come later", "retain_available true"
        )
    if collected and not (found.shares and found.wildcards):
        missing = "shared" if found.wildcards else "wildcard"
        what = f"the broker has no {missing} subscriptions: collectors need them"
        yield Finding("broker", "warn", what, "allow them in the broker's configuration")
    if not collected and found.session_s is not None and found.session_s < SESSION_S:
        what = "the broker keeps no sessions: what comes while a reader is away is lost to it"
        yield Finding("broker", "warn", what, "sync.acknowledge: collector, or allow sessions")
    alive_s = found.keep_alive_s
    if alive_s is not None and not 0 < alive_s <= LONG_KEEP_ALIVE_S:
        shown = f"only every {alive_s} s" if alive_s else "never"
        what = f"the broker wants a sign of life {shown}: a dead connection is noticed late"
        yield Finding("broker", "warn", what, f"lower its keep-alive to {LONG_KEEP_ALIVE_S} s")


def rights(visit: Visit, station: Station, sync: Sync) -> Iterator[Finding]:
    """What the broker lets this station write and read. What it should refuse goes to a stream
    named `check`, which no station has: even where it gets through it changes nothing."""
    if not visit.may_write(station.topic("check")):
        what = f"the broker refuses that this station writes {station.topic('check')}"
        mend = f"its user there must be {station}: edge-inspect fleet acl --collector USER"
        yield Finding("access", "warn", what, mend)
    elif sync.acknowledge != "collector":
        yield Finding("access", "ok", "this station may write below its own topics")
    if sync.acknowledge != "collector":
        return
    unread = [topic for topic in (station.ack("line"), station.rewind) if not visit.may_read(topic)]
    if unread:
        what = f"the broker refuses that this station reads {' and '.join(unread)}"
        yield Finding("access", "fail", what, "edge-inspect fleet acl --collector USER")
    if sync.ack_key_file is not None:
        yield Finding("access", "ok", "what collectors say must carry an HMAC (sync.ack_key_file)")
        return
    harmless = encode_rewind(station.rewind, Rewind("check", "check", 1, "check"))
    open_to_all = [
        topic
        for topic, payload in ((station.ack("check"), b""), (station.rewind, harmless))
        if visit.may_write(topic, payload)
    ]
    if open_to_all:
        what = f"anybody may acknowledge in a collector's place: {' and '.join(open_to_all)}"
        mend = "edge-inspect fleet acl --collector USER, or sync.ack_key_file"
        yield Finding("access", "warn", what, mend)
    else:
        yield Finding("access", "ok", "the broker refuses acknowledgements that are no collector's")


def secrets(settings: Settings, sync: Sync) -> Iterator[Finding]:
    """A password that everybody on the way can read."""
    if sync.credentials_file is None or settings.address.tls or _is_here(settings.address.host):
        return
    what = "the password goes over the network in the clear"
    yield Finding("broker", "warn", what, "mqtts:// and sync.ca_file; docs/brokers.md")


def certificates(lifetimes: list[Lifetime], now: float) -> Iterator[Finding]:
    """Which certificates end within 30 days, or have ended; else how long they last."""
    ending = warnings(lifetimes, now)
    for trouble in ending:
        yield Finding("certificate", "warn", trouble.what, trouble.mend)
    if lifetimes and not ending:
        first = min(lifetimes, key=lambda one: one.not_after)
        left = f"{date(first.not_after)}, in {days_left(first, now)} days"
        yield Finding("certificate", "ok", f"the first to end is {first.whose}: {left}")


def _delivered(sync: Sync) -> str:
    who = "a collector holds it" if sync.acknowledge == "collector" else "the broker said so"
    return f"delivered means: {who}"


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
