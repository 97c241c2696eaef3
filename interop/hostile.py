"""What a hostile client can make the echo server spend, over real sockets and with its default limits."""

from __future__ import annotations

import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

TEXT, BINARY, CONTINUATION, CLOSE, PING = 1, 2, 0, 8, 9
MIB = 1 << 10  # in KiB, like all memory here
SECONDS = 20
# More than the server takes in and the buffers of both sockets hold, so that writing to it comes to a halt.
FLOOD = 48 << 20

DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate"
HEAD = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


class Memory:
    """The resident memory of a process, in KiB."""

    def __init__(self, pid: int) -> None:
        self.proc = Path(f"/proc/{pid}")

    def forget_peak(self) -> None:
        (self.proc / "clear_refs").write_text("5")

    def peak(self) -> int:
        status = (self.proc / "status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0])


class Client:
    """A client that keeps to no rule."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, SECONDS)
        self.read = b""

    def open(self, *headers: bytes) -> Client:
        self.socket.sendall(HEAD + b"".join(header + b"\r\n" for header in headers) + b"\r\n")
        while b"\r\n\r\n" not in self.read:
            if not (more := self.socket.recv(4096)):
                raise EOFError("the server refuses the handshake")
            self.read += more
        self.read = self.read.partition(b"\r\n\r\n")[2]
        return self

    def send(self, *pieces: bytes) -> Client:
        """Writes what the server takes before it closes."""
        with suppress(ConnectionError):
            for piece in pieces:
                self.socket.sendall(piece)
        return self

    def flood(self, frame: bytes) -> str:
        """Writes and reads nothing; tells whether the server goes on reading all the same."""
        block, sent = frame * 100, 0
        self.socket.settimeout(2)
        try:
            while sent < FLOOD:
                sent += self.socket.send(block[sent % len(frame) :])
        except TimeoutError:
            return "it stops reading"
        return "it reads on"

    def send_and_read(self, data: bytes) -> Client:
        """Writes, and reads what the server answers, so that it never has to wait."""
        for at in range(0, len(data), 4096):
            self.send(data[at : at + 4096])
            self.socket.settimeout(0)
            with suppress(BlockingIOError, ConnectionError):
                self.read = (self.read + self.socket.recv(1 << 20))[-64:]
            self.socket.settimeout(SECONDS)
        return self

    def half_close(self) -> Client:
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def end(self) -> str:
        """What the server says at the end: a status of HTTP, a close code, or nothing."""
        with suppress(ConnectionError):
            while more := self.socket.recv(65536):
                self.read += more
        if self.read.startswith(b"HTTP/1.1 "):
            return self.read[9:12].decode()
        # The code and the reason, which is ASCII, have no byte like the first one of their frame.
        _, _, last = self.read.rpartition(b"\x88")
        if len(last) < 3 or len(last) != 1 + last[0]:
            return "nothing"
        return str(struct.unpack("!H", last[1:3])[0])


def header(opcode: int, length: int, fin: bool = True, compressed: bool = False) -> bytes:
    first = bytes([fin << 7 | compressed << 6 | opcode])
    if length < 126:
        size = bytes([0x80 | length])
    elif length < 1 << 16:
        size = struct.pack("!BH", 0x80 | 126, length)
    else:
        size = struct.pack("!BQ", 0x80 | 127, length)
    return first + size + bytes(4)


def frame(opcode: int, payload: bytes = b"", **bits: bool) -> bytes:
    return header(opcode, len(payload), **bits) + payload


def bomb(length: int) -> bytes:
    """Zeros of that length, compressed."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    compressed = b"".join(compressor.compress(bytes(MIB << 10)) for _ in range(length >> 20))
    return (compressed + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")


New = Callable[[], Client]


def pings_and_no_reading(new: New) -> str:
    return new().open().flood(frame(PING, bytes(125)))


def messages_and_no_reading(new: New) -> str:
    return new().open().flood(frame(TEXT, b"x" * 999))


def two_hundred_messages_announced(new: New) -> str:
    clients = [new().open().send(header(BINARY, 60 << 20), bytes(100)) for _ in range(200)]
    return clients[-1].half_close().end()


def a_frame_as_long_as_numbers_go(new: New) -> str:
    return new().open().send(header(BINARY, (1 << 63) - 1)).end()


def a_message_of_80_mib(new: New) -> str:
    piece = bytes(1 << 20)
    return new().open().send(frame(BINARY, piece, fin=False), *[frame(CONTINUATION, piece, fin=False)] * 79).end()


def a_million_fragments(new: New) -> str:
    return new().open().send(frame(BINARY, b"x", fin=False), frame(CONTINUATION, b"x", fin=False) * 1_000_000).end()


def a_million_empty_fragments(new: New) -> str:
    return new().open().send(frame(BINARY, fin=False), frame(CONTINUATION, fin=False) * 1_000_000).end()


def pings_within_a_message(new: New) -> str:
    client = new().open().send(frame(BINARY, fin=False))
    return client.send_and_read(frame(PING) * 1_000_000).end()


def a_bomb_of_512_mib(new: New) -> str:
    return new().open(DEFLATE).send(frame(BINARY, bomb(512 << 20), compressed=True)).end()


def blocks_of_nothing(new: New) -> str:
    """Stored blocks of no bytes."""
    return new().open(DEFLATE).send(frame(BINARY, b"\x00\x00\x00\xff\xff" * 400_000, compressed=True)).end()


def ends_of_streams(new: New) -> str:
    """Blocks of no bytes, each the last of its stream."""
    return new().open(DEFLATE).send(frame(BINARY, b"\x03\x00" * 200_000, compressed=True)).end()


def a_head_without_end(new: New) -> str:
    return new().send(b"GET / HTTP/1.1\r\n", b"A: " + b"x" * 100_000).end()


def a_target_without_end(new: New) -> str:
    return new().send(b"GET /", b"x" * 100_000).end()


def headers_without_end(new: New) -> str:
    return new().send(b"GET / HTTP/1.1\r\n", b"A: b\r\n" * 2_000).end()


def five_hundred_unfinished_heads(new: New) -> str:
    clients = [new().send(b"GET / HTTP/1.1\r\n", b"A: " + b"x" * 15_000) for _ in range(500)]
    return clients[-1].half_close().end()


def five_hundred_idle_connections(new: New) -> str:
    clients = [new().open() for _ in range(500)]
    return clients[-1].half_close().end()


# What the server says in the end, and how many KiB it may take for that; a connection with its thread takes 24.
ATTACKS: dict[Callable[[New], str], tuple[str, int]] = {
    pings_and_no_reading: ("it stops reading", MIB),
    messages_and_no_reading: ("it stops reading", MIB),
    two_hundred_messages_announced: ("nothing", 8 * MIB),
    a_frame_as_long_as_numbers_go: ("1009", MIB),
    a_message_of_80_mib: ("1009", 71 * MIB),
    a_million_fragments: ("1008", 2 * MIB),
    a_million_empty_fragments: ("1008", MIB),
    pings_within_a_message: ("1008", MIB),
    a_bomb_of_512_mib: ("1009", 71 * MIB),
    blocks_of_nothing: ("1008", MIB),
    ends_of_streams: ("1008", MIB),
    a_head_without_end: ("431", MIB),
    a_target_without_end: ("414", MIB),
    headers_without_end: ("431", MIB),
    five_hundred_unfinished_heads: ("nothing", 24 * MIB),
    five_hundred_idle_connections: ("nothing", 16 * MIB),
}


def still_echoes(new: New) -> bool:
    client = new().open().send(frame(TEXT, b"Hello"))
    return client.socket.recv(7) == b"\x81\x05Hello"


def every_attack(pid: int, address: tuple[str, int]) -> Iterator[tuple[str, str | None]]:
    """Makes them all; yields the name of each and what was wrong."""
    memory = Memory(pid)
    for attack, (wanted, most) in ATTACKS.items():
        with ExitStack() as stack:
            memory.forget_peak()
            before = memory.peak()
            found = attack(lambda: stack.enter_context(Client(address)))
            cost = memory.peak() - before
        name = f"{attack.__name__.replace('_', ' ')}: {wanted}, {cost} KiB of {most}"
        if found != wanted:
            yield name, f"the server says {found}"
        elif cost > most:
            yield name, "that is too much"
        else:
            yield name, None if still_echoes(lambda: Client(address)) else "it does not echo any more"
