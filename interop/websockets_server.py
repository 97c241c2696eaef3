"""A server of Python's `websockets` for our client: prints its URL; the path says what it does to whom connects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from check import check, same
from websockets.asyncio.server import ServerConnection, serve


async def echo(socket: ServerConnection) -> None:
    async for message in socket:
        await socket.send(message)
    same(received_code(socket), 1000)


async def messages(socket: ServerConnection) -> None:
    async def parts() -> AsyncIterator[str]:
        yield "frag"
        await (await socket.ping("within a message"))
        yield "men"
        yield "ted"

    for message in ("Grüße, 世界 🌍", "", "x" * 70_000, b"\xde\xad\xbe\xef", bytes(70_000), parts()):
        await socket.send(message)
    await (await socket.ping("p" * 125))
    await socket.close(1000, "done")


async def invalid(socket: ServerConnection) -> None:
    await socket.send(b"\xff\xfe", text=True)
    await socket.wait_closed()
    same(received_code(socket), 1007)


async def close(socket: ServerConnection, code: int) -> None:
    await socket.close(code, "so long")
    same(received_code(socket), code)


def received_code(socket: ServerConnection) -> int | None:
    frame = socket.protocol.close_rcvd
    return frame.code if frame else None


async def serve_one(socket: ServerConnection) -> None:
    path, _, code = socket.request.path.partition("?code=")
    if path == "/echo":
        await check("close from the client", echo(socket))
    elif path == "/messages":
        await check("pongs, also within a message", messages(socket))
    elif path == "/invalid":
        await check("invalid UTF-8 is refused", invalid(socket))
    elif path == "/close":
        await check(f"close {code} is answered", close(socket, int(code)))


async def main() -> None:
    async with serve(serve_one, "127.0.0.1", 0) as server:
        print(f"listening on ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


asyncio.run(main())
