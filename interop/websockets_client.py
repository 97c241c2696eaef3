"""The client of Python's `websockets` against our echo server: websockets_client.py URL"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

from check import check, same
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

URL = sys.argv[1]


async def echoed(*messages: str | bytes) -> None:
    async with connect(URL, max_size=None) as socket:
        for message in messages:
            await socket.send(message)
            same(await socket.recv(), message)
    same(received_code(socket), 1000)


def received_code(socket: ClientConnection) -> int | None:
    frame = socket.protocol.close_rcvd
    return frame.code if frame else None


async def every_form_of_length() -> None:
    for length in (0, 125, 126, 65_535, 65_536, 2**20 + 1):
        await echoed("x" * length, b"\xfe" * length)


async def fragments_with_a_ping_in_between() -> None:
    async def parts(socket: ClientConnection) -> AsyncIterator[str]:
        yield "Grü"
        await (await socket.ping("between"))
        yield "ße, "
        yield "世界"

    async with connect(URL) as socket:
        await socket.send(parts(socket))
        same(await socket.recv(), "Grüße, 世界")


async def ping() -> None:
    async with connect(URL) as socket:
        for payload in (b"", b"\xfe" * 125):
            await (await socket.ping(payload))


async def a_thousand_messages_in_order() -> None:
    async with connect(URL) as socket:
        numbers = [str(number) for number in range(1000)]
        for number in numbers:
            await socket.send(number)
        same([await socket.recv() for _ in numbers], numbers)


async def close_codes() -> None:
    for code in (1000, 1001, 3000, 4001, 4999):
        async with connect(URL) as socket:
            await socket.close(code, "reason")
        same(received_code(socket), code)


async def invalid_utf8() -> None:
    async with connect(URL) as socket:
        await socket.send(b"\xff\xfe", text=True)
        try:
            await socket.recv()
        except ConnectionClosedError:
            same(received_code(socket), 1007)
        else:
            raise ValueError("it was echoed")


async def main() -> None:
    await check("text", echoed("Grüße, 世界 🌍"))
    await check("binary", echoed(bytes(range(256))))
    await check("every form of length", every_form_of_length())
    await check("fragments with a ping in between", fragments_with_a_ping_in_between())
    await check("ping", ping())
    await check("a thousand messages in order", a_thousand_messages_in_order())
    await check("close codes", close_codes())
    await check("invalid UTF-8 is refused", invalid_utf8())


asyncio.run(main())
