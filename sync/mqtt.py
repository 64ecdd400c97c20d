"""MQTT 5. The only file that imports paho.

Each connection is a new client with one thread of its own, which is all that touches the socket.
Callbacks only put an event on the queue. There is no lock of ours, so none can be held over
`publish`; and since paho never reconnects by itself here, what it keeps in memory dies with the
connection.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sync.broker import Address, Login, lost, refusal, why_not
from sync.transport import (
    NO_LIMIT,
    Acknowledged,
    Connected,
    Disconnected,
    Event,
    Message,
    Refused,
    Transport,
)

PACKET_TOO_LARGE = 0x95
CONNECT_WITHIN_S = 5.0
KEEP_ALIVE_S = 20
CLOSE_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when we vanish without a word."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Settings:
    """How to connect. `session_s` above 0 asks the broker to keep our subscriptions and what
    arrives for them while we are away, and not to start clean. `hold` above 0 asks it to send at
    most so many messages that were not released: nobody can then fill our memory."""

    address: Address
    client_id: str
    login: Login = field(default_factory=Login)
    will: Will | None = None
    session_s: int = 0
    hold: int = 0


class MqttTransport(Transport):
    """A broker, over TCP or TLS, without delays for small packets."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._connection: _Connection | None = None

    def _connect(self, generation: int) -> None:
        self._drop()
        self._connection = _Connection(
            self._settings, generation << 16, lambda event: self._report(generation, event)
        )

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.drop()
            self._connection = None

    @property
    def alive(self) -> bool:
        """Whether the thread of the newest connection runs."""
        return self._connection is not None and self._connection.alive

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        connection = self._connection
        return 0 if connection is None else connection.publish(topic, payload, retain)

    def subscribe(self, topic: str) -> int:
        return 0 if self._connection is None else self._connection.subscribe(topic)

    def release(self, token: int) -> None:
        if self._connection is not None:
            self._connection.release(token)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.leave()
            self._connection = None


class _Connection:
    """One client, from connect to the end; reports `Disconnected` exactly once.

    A token is `token_base` plus the 16 bits of the message id: nothing need be remembered, so an
    acknowledgement cannot come before it could be understood.
    """

    def __init__(
        self, settings: Settings, token_base: int, report: Callable[[Event], None]
    ) -> None:
        self._settings = settings
        self._token_base = token_base
        self._report = report
        self._why: Disconnected | None = None
        self._dropped = False
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_write.setblocking(False)
        self._client = self._make_client()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def publish(self, topic: str, payload: bytes, retain: bool) -> int:
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        self._wake()
        return self._token_base | info.mid

    def subscribe(self, topic: str) -> int:
        _, message_id = self._client.subscribe(topic, qos=1)
        self._wake()
        return self._token_base | (message_id or 0)

    def release(self, token: int) -> None:
        """PUBACK, if the message came by this connection."""
        if self._settings.hold and token and token >> 16 == self._token_base >> 16:
            self._client.ack(token & 0xFFFF, 1)
            self._wake()

    def drop(self) -> None:
        """Let go without a word; the thread ends by itself."""
        self._dropped = True
        self._wake()

    def leave(self) -> None:
        """Send what is queued and DISCONNECT, then end."""
        self._client.disconnect()
        self._wake()
        self._thread.join(CLOSE_WITHIN_S)
        self.drop()
        self._thread.join(CLOSE_WITHIN_S / 10)

    def _wake(self) -> None:
        # Full means that the thread wakes anyway, closed that it has ended.
        with contextlib.suppress(OSError):
            self._wake_write.send(b"w")

    def _make_client(self) -> paho.Client:
        settings = self._settings
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=settings.client_id, protocol=paho.MQTTv5
        )
        client.connect_timeout = CONNECT_WITHIN_S
        client.max_inflight_messages_set(65_535)  # the window is ours to keep
        client.manual_ack_set(settings.hold > 0)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_socket_open = _without_delay
        # Without it paho would write to the socket from the thread that publishes.
        client.on_socket_register_write = _leave_it_to_the_loop
        if settings.will is not None:
            client.will_set(settings.will.topic, settings.will.payload, qos=1, retain=True)
        return client

    def _run(self) -> None:
        try:
            self._open()
            self._loop()
        except Exception as error:  # whatever it is, the owner must hear that this ended
            self._why = self._why or why_not(error, self._settings.address)
        finally:
            self._wake_read.close()
            self._wake_write.close()
            connection = self._client.socket()
            if connection is not None:
                connection.close()
            self._report(self._why or lost(self._settings.address))

    def _open(self) -> None:
        settings, login = self._settings, self._settings.login
        if login.credentials is not None:
            lines = [*login.credentials.read_text().splitlines(), "", ""]
            self._client.username_pw_set(lines[0].strip(), lines[1].strip() or None)
        if settings.address.tls:
            context = ssl.create_default_context(cafile=login.ca)
            if login.certificate is not None:
                context.load_cert_chain(login.certificate, login.key)
            self._client.tls_set_context(context)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = settings.session_s
        if settings.hold:
            properties.ReceiveMaximum = settings.hold
        self._client.connect(
            settings.address.host,
            settings.address.port,
            keepalive=KEEP_ALIVE_S,
            clean_start=settings.session_s == 0,
            properties=properties,
        )

    def _loop(self) -> None:
        client, wake = self._client, self._wake_read
        state = MQTTErrorCode.MQTT_ERR_SUCCESS
        while state == MQTTErrorCode.MQTT_ERR_SUCCESS and not self._dropped:
            connection = client.socket()
            if connection is None:
                return
            pending = isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
            writers = [connection] if client.want_write() else []
            readable, _, _ = select.select([connection, wake], writers, [], 0.0 if pending else 1.0)
            if wake in readable:
                wake.recv(4096)
            if pending or connection in readable:
                state = client.loop_read()
            if state == MQTTErrorCode.MQTT_ERR_SUCCESS and client.want_write():
                state = client.loop_write()
            if state == MQTTErrorCode.MQTT_ERR_SUCCESS:
                state = client.loop_misc()

    def _on_connect(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.ConnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if code.is_failure:
            self._why = refusal(code.value, str(code), self._settings.address)
            return
        self._report(
            Connected(
                largest_packet=int(getattr(properties, "MaximumPacketSize", NO_LIMIT)),
                receive_maximum=int(getattr(properties, "ReceiveMaximum", 65_535)),
                keeps_retained=bool(getattr(properties, "RetainAvailable", 1)),
            )
        )

    def _on_disconnect(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.DisconnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if self._why is None and flags.is_disconnect_packet_from_server:
            self._why = refusal(code.value, str(code), self._settings.address)

    def _on_publish(
        self,
        client: paho.Client,
        userdata: object,
        message_id: int,
        code: ReasonCode,
        properties: Properties,
    ) -> None:
        self._answered(message_id, code)

    def _on_subscribe(
        self,
        client: paho.Client,
        userdata: object,
        message_id: int,
        codes: list[ReasonCode],
        properties: Properties | None,
    ) -> None:
        self._answered(message_id, codes[0])

    def _answered(self, message_id: int, code: ReasonCode) -> None:
        token = self._token_base | message_id
        if not code.is_failure:
            self._report(Acknowledged(token))
            return
        words = refusal(code.value, str(code), self._settings.address)
        self._report(Refused(token, words.what, words.mend, code.value == PACKET_TOO_LARGE))

    def _on_message(self, client: paho.Client, userdata: object, message: paho.MQTTMessage) -> None:
        token = self._token_base | message.mid if self._settings.hold and message.qos else 0
        try:
            self._report(Message(message.topic, bytes(message.payload), message.retain, token))
        except UnicodeDecodeError:  # no topic of ours
            self.release(token)


def _without_delay(client: paho.Client, userdata: object, connection: paho.SocketLike) -> None:
    assert isinstance(connection, socket.socket)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _leave_it_to_the_loop(
    client: paho.Client, userdata: object, connection: paho.SocketLike
) -> None:
    """`_Connection.publish` wakes the loop."""
