"""Compressed connections with every combination of the parameters of permessage-deflate (RFC 7692 §7.1).

Our end speaks: `interop/peer` sends messages that show, by their length on the wire, whether each end compresses, with
which window, and with context takeover or not. The other end echoes. Here is what both have to agree on, computed a
second time, and why some combinations cannot be agreed on.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Union

from child import Child

HERE = Path(__file__).resolve().parent
# More than our end gives a peer to answer one message.
SECONDS = 20

# The smallest that our server asks of a client which does not name it: `websockets` fails when told 8.
SMALLEST_ASKED = 9
LARGEST = 15

TAKEOVER = (False, True)
SERVER_BITS = (None, 8, 9, 10, 12, 15)
CLIENT_BITS = (None, True, 8, 9, 12, 15)


@dataclass(frozen=True)
class Settings:
    """The parameters of an offer, or a server's wish. None is not there, True is there without a value."""

    server_no_context_takeover: bool = False
    client_no_context_takeover: bool = False
    server_max_window_bits: int | None = None
    client_max_window_bits: int | bool | None = None

    def query(self) -> str:
        return "&".join(self._params())

    def element(self) -> str:
        return "; ".join(["permessage-deflate", *self._params()])

    def _params(self) -> Iterator[str]:
        for name, value in vars(self).items():
            if value is True:
                yield name
            elif value:
                yield f"{name}={value}"

    def __str__(self) -> str:
        return ", ".join(self._params()) or "nothing"


@dataclass(frozen=True)
class Agreed:
    """What both ends hold to."""

    server_anew: bool
    client_anew: bool
    server_bits: int
    client_bits: int

    def __str__(self) -> str:
        ends = (("server", self.server_bits, self.server_anew), ("client", self.client_bits, self.client_anew))
        return ", ".join(f"{name} {bits}{' anew' * anew}" for name, bits, anew in ends)


@dataclass(frozen=True)
class Declined:
    """The server declines the offer, and messages go as they are."""

    reason: str


@dataclass(frozen=True)
class Refused:
    """There is no connection; the line of the end that refuses says why."""

    reason: str
    line: str


WEBSOCKETS_DECLINES_8 = Declined("its server's compressor has no window of 8 bits")
WEBSOCKETS_OFFERS_NO_8 = Refused(
    "its client's compressor has no window of 8 bits", r"failed client_max_window_bits must be between 9 and 15"
)
WEBSOCKETS_WANTS_NO_8 = Refused("its server's compressor cannot be set to 8 bits", r"not ok .*500")
WS_REFUSES = Refused("its server insists on a limit that the client does not offer to keep", r"not ok .*400")

Outcome = Union[Agreed, Declined, Refused]
# An offer, and the wish of the server; what they lead to.
Pair = tuple[Settings, Settings]
Rule = Callable[[Settings, Settings], Outcome]


def least(*bits: int | bool | None) -> int:
    """The smallest window that is named, or else the largest there is."""
    return min([LARGEST, *(number for number in bits if number not in (None, True))])


def agree(offer: Settings, wanted: Settings, server_bits: int, client_bits: int) -> Agreed:
    """An end that asks for no context takeover gets it."""
    return Agreed(
        offer.server_no_context_takeover or wanted.server_no_context_takeover,
        offer.client_no_context_takeover or wanted.client_no_context_takeover,
        server_bits,
        client_bits,
    )


def our_server(offer: Settings, wanted: Settings) -> Outcome:
    """RFC 7692 §7.1; a window of 8 bits is the client's to offer, not ours to ask for."""
    server_bits = least(wanted.server_max_window_bits, offer.server_max_window_bits)
    client_bits = LARGEST
    if offer.client_max_window_bits is not None:
        client_bits = least(max(least(wanted.client_max_window_bits), SMALLEST_ASKED), offer.client_max_window_bits)
    return agree(offer, wanted, server_bits, client_bits)


def ws_server(offer: Settings, wanted: Settings) -> Outcome:
    """What this server wants it must get; a bare `client_max_window_bits` promises any limit."""
    if wanted.client_max_window_bits and offer.client_max_window_bits is None:
        return WS_REFUSES
    return agree(offer, wanted, *both_bits(offer, wanted))


def websockets_server(offer: Settings, wanted: Settings) -> Outcome:
    if wanted.server_max_window_bits == 8:
        return WEBSOCKETS_WANTS_NO_8
    server_bits, client_bits = both_bits(offer, wanted)
    if server_bits == 8:
        return WEBSOCKETS_DECLINES_8
    if offer.client_max_window_bits is None:
        client_bits = LARGEST
    return agree(offer, wanted, server_bits, client_bits)


def both_bits(offer: Settings, wanted: Settings) -> tuple[int, int]:
    return (
        least(offer.server_max_window_bits, wanted.server_max_window_bits),
        least(offer.client_max_window_bits, wanted.client_max_window_bits),
    )


def websockets_client(offer: Settings, wanted: Settings) -> Outcome:
    if offer.client_max_window_bits == 8:
        return WEBSOCKETS_OFFERS_NO_8
    return our_server(offer, wanted)


BARE = Settings(client_max_window_bits=True)


def combinations(client_bits: tuple[int | bool | None, ...]) -> Iterator[Settings]:
    return itertools.starmap(Settings, itertools.product(TAKEOVER, TAKEOVER, SERVER_BITS, client_bits))


def every_offer() -> Iterator[Pair]:
    """Every offer, to a server that wants nothing."""
    return ((offer, Settings()) for offer in combinations(CLIENT_BITS))


def every_wish(*offers: Settings) -> Iterator[Pair]:
    """Every wish of a server, with each of a few offers."""
    numbers = tuple(bits for bits in CLIENT_BITS if bits is not True)
    return itertools.product(offers, combinations(numbers))


class Talks:
    """What came of the combinations of a pair of ends."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []

    def judge(self, offer: Settings, wanted: Settings, expected: Outcome, line: str) -> None:
        if isinstance(expected, Agreed):
            kind, pattern = "agreed", f"ok {expected}: .*"
        elif isinstance(expected, Declined):
            kind, pattern = f"without compression: {expected.reason}", "ok nothing: .*"
        else:
            kind, pattern = f"without a connection: {expected.reason}", expected.line
        if re.match(pattern, line):
            self.counts[kind] += 1
        else:
            self.faults.append(f"offer: {offer}; server's wish: {wanted}; expected {pattern!r}, found {line!r}")


def line_of(child: Child, pattern: str = ".*") -> str:
    try:
        return child.await_line(pattern, SECONDS)
    except (EOFError, TimeoutError) as error:
        return str(error)


def their_client(
    ours: Path, peer: str, command: list[str | Path], rule: Rule, pairs: Iterator[Pair], page: bool = False
) -> Talks:
    talks = Talks(f"{peer} client, our server")
    with Child(ours, "server") as server:
        address = server.await_line(r"127\.0\.0\.1:\d+", SECONDS)
        with Child(*command, *([f"http://{address}/"] if page else [])) as client:
            for number, (offer, wanted) in enumerate(pairs):
                query = f"level={level(number)}&{wanted.query()}"
                client.say(f"ws://{address}/{number}?{query} {offer.query()}")
                line = end = line_of(client)
                # Otherwise there was no connection, the client says why, and our server perhaps nothing.
                if end.startswith("closed"):
                    line = line_of(server, rf"(?<=^/{number} ).*")
                if line.startswith("ok") and end != "closed 1000":
                    line = end
                talks.judge(offer, wanted, rule(offer, wanted), line)
    return talks


def their_page(ours: Path, peer: str, command: list[str | Path], rule: Rule, pairs: Iterator[Pair]) -> Talks:
    return their_client(ours, peer, command, rule, pairs, page=True)


def their_server(ours: Path, peer: str, command: list[str | Path], rule: Rule, pairs: Iterator[Pair]) -> Talks:
    talks = Talks(f"our client, {peer} server")
    # Python says on stderr what it refuses, as it should.
    with Child(*command, stderr=subprocess.DEVNULL) as server, Child(ours, "client") as client:
        url = server.await_line(r"ws://127\.0\.0\.1:\d+", SECONDS)
        for number, (offer, wanted) in enumerate(pairs):
            client.say(f"{url}/?{wanted.query()} {level(number)} {offer.element()}")
            talks.judge(offer, wanted, rule(offer, wanted), line_of(client))
    return talks


def level(number: int) -> int:
    """All levels of our compressor in turn."""
    return number % 9 + 1


def build_peer() -> Path:
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target")).resolve()
    build = ["cargo", "build", "--release", "--quiet", "--manifest-path", HERE / "peer" / "Cargo.toml"]
    subprocess.run([*build, "--target-dir", target], check=True)
    return target / "release" / "interop-peer"


def every_talk(python: Path, chromium: str) -> list[Talks]:
    ours = build_peer()
    ws = ["node", HERE / "ws_deflate.mjs"]
    websockets = [python, HERE / "websockets_deflate.py"]
    browser = ["node", HERE / "browser_deflate.mjs", chromium]

    def everything() -> Iterator[Pair]:
        return itertools.chain(every_offer(), every_wish(BARE, Settings()))

    # An end waits while the other one works, so two at a time keep two cores busy.
    with ThreadPoolExecutor(2) as pool:
        talks = [
            pool.submit(*talk)
            for talk in (
                (their_client, ours, "Node ws", [*ws, "client"], our_server, everything()),
                (their_server, ours, "Node ws", [*ws, "server"], ws_server, everything()),
                (their_client, ours, "Python websockets", [*websockets, "client"], websockets_client, everything()),
                (their_server, ours, "Python websockets", [*websockets, "server"], websockets_server, everything()),
                # A page has no say in what the browser offers.
                (their_page, ours, "Chromium", browser, our_server, every_wish(BARE)),
            )
        ]
        return [talk.result() for talk in talks]
