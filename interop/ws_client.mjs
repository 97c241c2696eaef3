// The client of Node's `ws` against our echo server: node ws_client.mjs URL

import assert from "node:assert/strict";
import { once } from "node:events";
import WebSocket from "ws";
import { check } from "./check.mjs";

const url = process.argv[2];

/** Opens a connection, talks, and closes it unless that has happened. */
async function connected(talk) {
  const socket = new WebSocket(url);
  try {
    await once(socket, "open");
    await talk(socket);
    if (socket.readyState === WebSocket.OPEN) {
      socket.close(1000);
      const [code] = await once(socket, "close");
      assert.equal(code, 1000);
    }
  } finally {
    socket.terminate();
  }
}

async function echoed(socket, message) {
  const reply = once(socket, "message");
  socket.send(message);
  await same(reply, message);
}

async function same(reply, message) {
  const [data, isBinary] = await reply;
  assert.equal(isBinary, typeof message !== "string");
  assert.ok(data.equals(Buffer.from(message)), `${data.length} other bytes came back`);
}

await check("text", () => connected((socket) => echoed(socket, "Grüße, 世界 🌍")));

await check("binary", () => connected((socket) => echoed(socket, Buffer.from([...Array(256).keys()]))));

await check("every form of length", () =>
  connected(async (socket) => {
    for (const length of [0, 125, 126, 65_535, 65_536, 2 ** 20 + 1]) {
      await echoed(socket, "x".repeat(length));
      await echoed(socket, Buffer.alloc(length, 0xfe));
    }
  }));

await check("fragments with a ping in between", () =>
  connected(async (socket) => {
    const reply = once(socket, "message");
    const pong = once(socket, "pong");
    socket.send("Grü", { fin: false });
    socket.ping("between");
    const [payload] = await pong;
    assert.equal(payload.toString(), "between");
    socket.send("ße, ", { fin: false });
    socket.send("世界", { fin: true });
    await same(reply, "Grüße, 世界");
  }));

await check("ping", () =>
  connected(async (socket) => {
    for (const payload of [Buffer.alloc(0), Buffer.alloc(125, 0xfe)]) {
      const pong = once(socket, "pong");
      socket.ping(payload);
      assert.ok((await pong)[0].equals(payload), "another payload came back");
    }
  }));

await check("a thousand messages in order", () =>
  connected(async (socket) => {
    const replies = [];
    const all = new Promise((done) =>
      socket.on("message", (data) => replies.push(String(data)) === 1000 && done()),
    );
    const numbers = Array.from({ length: 1000 }, (_, number) => String(number));
    numbers.forEach((number) => socket.send(number));
    await all;
    assert.deepEqual(replies, numbers);
  }));

await check("close codes", async () => {
  for (const code of [1000, 1001, 3000, 4001, 4999]) {
    await connected(async (socket) => {
      const closed = once(socket, "close");
      socket.close(code, "reason");
      assert.equal((await closed)[0], code);
    });
  }
});

await check("close without a code", () =>
  connected(async (socket) => {
    const closed = once(socket, "close");
    socket.close();
    assert.equal((await closed)[0], 1005);
  }));

await check("invalid UTF-8 is refused", () =>
  connected(async (socket) => {
    const closed = once(socket, "close");
    socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
    assert.equal((await closed)[0], 1007);
  }));
