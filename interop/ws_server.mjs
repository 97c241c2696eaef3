// A server of Node's `ws` for our client: prints its URL; the path says what it does to whom connects.

import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocketServer } from "ws";
import { check } from "./check.mjs";

const BEHAVIOUR = {
  "/echo": (socket) =>
    check("close from the client", async () => {
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
      const [code] = await once(socket, "close");
      assert.equal(code, 1000);
    }),

  "/messages": (socket) =>
    check("pongs, also within a message", async () => {
      socket.send("Grüße, 世界 🌍");
      socket.send("");
      socket.send("x".repeat(70_000));
      socket.send(Buffer.from([0xde, 0xad, 0xbe, 0xef]));
      socket.send(Buffer.alloc(70_000));
      socket.send("frag", { fin: false });
      await pong(socket, "within a message");
      socket.send("men", { fin: false });
      socket.send("ted", { fin: true });
      await pong(socket, "p".repeat(125));
      socket.close(1000, "done");
    }),

  "/invalid": (socket) =>
    check("invalid UTF-8 is refused", async () => {
      socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
      const [code] = await once(socket, "close");
      assert.equal(code, 1007);
    }),

  "/close": (socket, code) =>
    check(`close ${code} is answered`, async () => {
      socket.close(code, "so long");
      const [answer] = await once(socket, "close");
      assert.equal(answer, code);
    }),
};

async function pong(socket, payload) {
  const answer = once(socket, "pong");
  socket.ping(payload);
  assert.equal(String((await answer)[0]), payload);
}

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: true });
server.on("connection", (socket, request) => {
  const { pathname, searchParams } = new URL(request.url, "http://127.0.0.1");
  // A broken connection shows in what is missing.
  socket.on("error", () => {});
  BEHAVIOUR[pathname](socket, Number(searchParams.get("code")));
});
await once(server, "listening");
console.log(`listening on ws://127.0.0.1:${server.address().port}`);
