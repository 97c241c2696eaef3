"""Both ends of Python's `websockets`, which echo what our end says: websockets_deflate.py client | server

The client reads `URL OFFER` from each line of its input, the server takes what it wants from the query of a request:
`server_no_context_takeover&client_max_window_bits=12`.
"""

from __future__ import annotations

import asyncio
import sys
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory
from websockets.http11 import Request


def settings(query: str) -> dict[str, int | bool]:
    """A parameter without a value is True."""
    return {name: int(value) if value else True for name, value in parse_qsl(query, keep_blank_values=True)}


async def echo(socket: ClientConnection | ServerConnection) -> None:
    """A long text goes back in fragments."""
    async for message in socket:
        long = len(message) >= 100_000
        await socket.send([message[:1], message[1:50_000], message[50_000:]] if long else message)


async def client() -> None:
    for line in sys.stdin:
        url, _, offer = line.rstrip("\n").partition(" ")
        try:
            # For `websockets`, nothing said is an offer.
            factory = ClientPerMessageDeflateFactory(**{"client_max_window_bits": None, **settings(offer)})
            async with connect(url, extensions=[factory], compression=None, ping_interval=None) as socket:
                await echo(socket)
        except Exception as error:  # whatever it is, it is the answer
            print(f"failed {error}", flush=True)
        else:
            print(f"closed {socket.close_code}", flush=True)


def choose(socket: ServerConnection, request: Request) -> None:
    """Sets what this connection is to agree on; `serve` has one setting for all."""
    factory = ServerPerMessageDeflateFactory(**settings(urlsplit(request.path).query))
    socket.protocol.available_extensions = [factory]


async def server() -> None:
    async with serve(echo, "127.0.0.1", 0, process_request=choose, compression=None, ping_interval=None) as server:
        print(f"listening on ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


asyncio.run({"client": client, "server": server}[sys.argv[1]]())
