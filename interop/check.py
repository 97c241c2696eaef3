"""A check prints one line: `ok NAME` or `not ok NAME: WHY`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

SECONDS = 10


async def check(name: str, talk: Awaitable[None]) -> None:
    try:
        await asyncio.wait_for(talk, SECONDS)
    except Exception as error:  # whatever it is, it is the answer
        print(f"not ok {name}: {' '.join(repr(error).splitlines())[:300]}", flush=True)
    else:
        print(f"ok {name}", flush=True)


def same(found: object, wanted: object) -> None:
    """Fails when the two differ, without printing long ones whole."""
    if found != wanted or type(found) is not type(wanted):
        raise ValueError(f"{found!r:.60} is not {wanted!r:.60}")
