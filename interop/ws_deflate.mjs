// Both ends of Node's `ws`, which echo what our end says: node ws_deflate.mjs client | server
//
// The client reads `URL OFFER` from each line of its input, the server takes what it wants from the query of a request:
// `server_no_context_takeover&client_max_window_bits=12`.

import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import WebSocket, { WebSocketServer } from "ws";

/** What `ws` calls the parameters. One without a value is true. */
function options(query) {
  const settings = new URLSearchParams(query);
  const get = (name) => (settings.has(name) ? Number(settings.get(name)) || true : undefined);
  return {
    serverNoContextTakeover: get("server_no_context_takeover"),
    clientNoContextTakeover: get("client_no_context_takeover"),
    serverMaxWindowBits: get("server_max_window_bits"),
    clientMaxWindowBits: get("client_max_window_bits"),
    threshold: 0,
  };
}

/** A long text goes back in fragments. */
function echo(socket) {
  // A broken connection shows at our end.
  socket.on("error", () => {});
  socket.on("message", (data, isBinary) => {
    if (data.length < 100_000) {
      socket.send(data, { binary: isBinary });
      return;
    }
    socket.send(data.subarray(0, 1), { binary: isBinary, fin: false });
    socket.send(data.subarray(1, 50_000), { fin: false });
    socket.send(data.subarray(50_000), { fin: true });
  });
}

async function client() {
  for await (const line of createInterface({ input: process.stdin })) {
    const [url, offer] = line.split(" ");
    // For `ws`, nothing said is an offer.
    const perMessageDeflate = { clientMaxWindowBits: false, ...defined(options(offer)) };
    const socket = new WebSocket(url, { perMessageDeflate });
    echo(socket);
    const end = await new Promise((done) => {
      socket.on("error", (error) => done(`failed ${error.message}`));
      socket.on("close", (code) => done(`closed ${code}`));
    });
    console.log(end);
  }
}

function defined(settings) {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

async function server() {
  const http = createServer();
  http.on("upgrade", (request, stream, head) => {
    const perMessageDeflate = options(request.url.split("?")[1]);
    const server = new WebSocketServer({ noServer: true, perMessageDeflate });
    server.handleUpgrade(request, stream, head, echo);
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  console.log(`listening on ws://127.0.0.1:${http.address().port}`);
}

await { client, server }[process.argv[2]]();
