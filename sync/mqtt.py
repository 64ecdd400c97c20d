"""MQTT 5. The only file that imports paho.

Each connection is a new client with one thread of its own, which is all that touches the socket.
Callbacks only put an event on the queue. There is no lock of ours, so none can be held over
`publish`; and since paho never reconnects by itself here, what it keeps in memory dies with the
connection.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sync.broker import limits, lost, refusal, why_not
from sync.opening import Opening
from sync.pump import pump
from sync.settings import Settings as Settings
from sync.settings import Will as Will
from sync.transport import (
    Acknowledged,
    Disconnected,
    Event,
    Message,
    Refused,
    Transport,
)
from sync.wake import Wake

PACKET_TOO_LARGE = 0x95
CLOSE_WITHIN_S = 2.0


class MqttTransport(Transport):
    """A broker, over TCP or TLS, without delays for small packets.

    `broker_certificate` is what the broker showed when TLS last succeeded, in DER.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._connection: _Connection | None = None
        self.broker_certificate: bytes | None = None

    def _connect(self, generation: int) -> None:
        self._drop()
        self._connection = _Connection(
            self._settings,
            generation << 16,
            lambda event: self._report(generation, event),
            self._saw,
        )

    def _saw(self, certificate: bytes | None) -> None:
        self.broker_certificate = certificate

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
        self,
        settings: Settings,
        token_base: int,
        report: Callable[[Event], None],
        saw: Callable[[bytes | None], None],
    ) -> None:
        self._settings = settings
        self._token_base = token_base
        self._report = report
        self._saw = saw
        self._why: Disconnected | None = None
        self._taken = self._dropped = False
        self._opening = Opening(settings.address, settings.login, settings.facts)
        self._wake = Wake()
        self._client = self._make_client()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def publish(self, topic: str, payload: bytes, retain: bool) -> int:
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        self._wake.ring()
        return self._token_base | info.mid

    def subscribe(self, topic: str) -> int:
        _, message_id = self._client.subscribe(topic, qos=1)
        self._wake.ring()
        return self._token_base | (message_id or 0)

    def release(self, token: int) -> None:
        """PUBACK, if the message came by this connection."""
        if self._settings.hold and token and token >> 16 == self._token_base >> 16:
            self._client.ack(token & 0xFFFF, 1)
            self._wake.ring()

    def drop(self) -> None:
        """Let go without a word; the thread ends by itself."""
        self._dropped = True
        self._wake.ring()

    def leave(self) -> None:
        """Send what is queued and DISCONNECT, then end."""
        self._client.disconnect()
        self._wake.ring()
        self._thread.join(CLOSE_WITHIN_S)
        self.drop()
        self._thread.join(CLOSE_WITHIN_S / 10)

    def _make_client(self) -> _Client:
        settings = self._settings
        client = _Client(
            CallbackAPIVersion.VERSION2, client_id=settings.client_id, protocol=paho.MQTTv5
        )
        client.dialled = self._dial
        client.max_inflight_messages_set(65_535)  # the window is ours to keep
        client.manual_ack_set(settings.hold > 0)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        # Without it paho would write to the socket from the thread that publishes.
        client.on_socket_register_write = _leave_it_to_the_loop
        if settings.will is not None:
            client.will_set(settings.will.topic, settings.will.payload, qos=1, retain=True)
        return client

    def _run(self) -> None:
        error: Exception | None = None
        try:
            self._open()
            pump(self._client, self._wake, self._look)
        except Exception as failed:  # whatever it is, the owner must hear that this ended
            error = failed
        finally:
            connection = self._client.socket()
            if connection is not None:
                connection.close()
            self._wake.close()
            self._report(self._why or self._words(error))

    def _words(self, error: Exception | None) -> Disconnected:
        if not (self._taken or self._dropped):
            return self._opening.words(error)
        address = self._settings.address
        return why_not(error, address) if error else lost(address)

    def _open(self) -> None:
        settings, opening = self._settings, self._opening
        opening.prepare()
        if opening.user:
            self._client.username_pw_set(opening.user, opening.password or None)
        if opening.context is not None:
            self._client.tls_set_context(opening.context)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = settings.session_s
        if settings.hold:
            properties.ReceiveMaximum = settings.hold
        if settings.largest:
            properties.MaximumPacketSize = settings.largest
        self._client.connect(
            settings.address.host,
            settings.address.port,
            keepalive=settings.keep_alive_s,
            clean_start=settings.session_s == 0,
            properties=properties,
        )

    def _dial(self) -> socket.socket:
        connection = self._opening.dial()
        self._saw(self._opening.certificate)
        return connection

    def _look(self, connection: paho.SocketLike, can_read: bool) -> bool:
        if not self._taken:
            self._opening.waits()
            if can_read:
                self._opening.look(connection)
        # Before the first byte too: CONNECT would throw out the newer connection of our name.
        return not self._dropped

    def _on_connect(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.ConnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if code.is_failure:
            self._why = refusal(code.value, str(code), self._settings.address, self._opening.user)
            return
        self._taken = True
        self._report(limits(properties))

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


class _Client(paho.Client):
    """paho, on a socket that we have opened within our own deadline.

    Should a later paho not ask for it, it opens one itself, with the same TLS.
    """

    dialled: Callable[[], socket.socket]

    def _create_socket(self) -> socket.socket:
        return self.dialled()


def _leave_it_to_the_loop(
    client: paho.Client, userdata: object, connection: paho.SocketLike
) -> None:
    """`_Connection.publish` wakes the loop."""
