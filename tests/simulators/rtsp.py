"""A small RTSP server with one MJPEG stream over TCP, for FFmpeg's real client to connect to.

RTSP 1.0 after RFC 2326 (as far as a client needs it), RTP/JPEG after RFC 2435.
"""

from __future__ import annotations

import base64
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

from camera.frame import Image
from tests.camera.pictures import jpeg

FRAGMENT = 1400
PAYLOAD_JPEG = 26
EVERY_S = 0.02
SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 26\r\nc=IN IP4 0.0.0.0\r\na=framerate:50\r\na=control:track1\r\n"
)


class RtspServer:
    """Serves one picture, again and again. `mute` stops the pictures, `hang_up` the connections."""

    def __init__(self, image: Image, login: tuple[str, str] | None = None) -> None:
        self.image = image
        self.requests: list[str] = []
        self._login = login
        self._muted = threading.Event()
        self._stop = threading.Event()
        self._clients: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/stream"

    def mute(self) -> None:
        self._muted.set()

    def hang_up(self) -> None:
        for client in self._clients:
            with_suppressed(client.shutdown, socket.SHUT_RDWR)

    def close(self) -> None:
        self._stop.set()
        with_suppressed(self._listener.shutdown, socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(20)

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._clients.append(client)
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as reader:
            while request := self._request(reader):
                method, sequence, headers = request
                self.requests.append(method)
                reply = self._reply(method, headers)
                try:
                    client.sendall(reply.replace("SEQUENCE", sequence).encode())
                    if method == "PLAY":
                        self._stream(client)
                except OSError:
                    return

    def _request(self, reader) -> tuple[str, str, dict[str, str]] | None:
        try:
            first = reader.readline().decode().split()
            headers: dict[str, str] = {}
            while (line := reader.readline().decode().strip()) != "":
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
        except OSError:
            return None
        return (first[0], headers.get("cseq", "0"), headers) if first else None

    def _reply(self, method: str, headers: dict[str, str]) -> str:
        if self._login is not None and method != "OPTIONS":
            wanted = base64.b64encode(":".join(self._login).encode()).decode()
            if headers.get("authorization") != f"Basic {wanted}":
                return (
                    "RTSP/1.0 401 Unauthorized\r\nCSeq: SEQUENCE\r\n"
                    'WWW-Authenticate: Basic realm="test"\r\n\r\n'
                )
        head = "RTSP/1.0 200 OK\r\nCSeq: SEQUENCE\r\nSession: 1\r\n"
        if method == "OPTIONS":
            return head + "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n"
        if method == "DESCRIBE":
            return (
                f"{head}Content-Type: application/sdp\r\nContent-Base: {self.url}/\r\n"
                f"Content-Length: {len(SDP)}\r\n\r\n{SDP}"
            )
        if method == "SETUP":
            return f"{head}Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
        return f"{head}\r\n"

    def _stream(self, client: socket.socket) -> None:
        """Send pictures until the connection or the server ends."""
        sequence, time = 0, 0
        while not self._stop.wait(EVERY_S):
            if self._muted.is_set():
                continue
            for last, payload in fragments(jpeg(self.image)):
                header = struct.pack(
                    ">BBHII", 0x80, PAYLOAD_JPEG | last << 7, sequence & 0xFFFF, time, 1
                )
                packet = header + payload
                client.sendall(b"$\0" + struct.pack(">H", len(packet)) + packet)
                sequence += 1
            time = (time + 1800) & 0xFFFFFFFF


def fragments(data: bytes) -> Iterator[tuple[bool, bytes]]:
    """The picture as RTP/JPEG payloads: whether it is the last one, and its bytes."""
    tables, at = b"", 2
    width = height = 0
    while True:
        marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 2 + size]
        if marker == 0xDB:
            tables += b"".join(body[k + 1 : k + 65] for k in range(0, len(body), 65))
        elif marker == 0xC0:
            height, width = struct.unpack(">HH", body[1:5])
        at += 2 + size
        if marker == 0xDA:
            break
    scan = data[at:-2]
    for offset in range(0, len(scan), FRAGMENT):
        yuv420, tables_follow = 1, 255
        head = struct.pack(">I", offset) + bytes([yuv420, tables_follow, width // 8, height // 8])
        if offset == 0:
            head += struct.pack(">BBH", 0, 0, len(tables)) + tables
        yield offset + FRAGMENT >= len(scan), head + scan[offset : offset + FRAGMENT]


def with_suppressed(action, *arguments) -> None:
    with contextlib.suppress(OSError):
        action(*arguments)
