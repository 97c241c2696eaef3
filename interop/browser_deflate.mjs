// A page in a headless Chromium that echoes what our end says: node browser_deflate.mjs CHROMIUM PAGE
//
// It connects to the URL at the front of each line of its input. What it offers is up to Chromium.

import { createInterface } from "node:readline";
import { launch } from "./chromium.mjs";

const [executablePath, home] = process.argv.slice(2);
const browser = await launch(executablePath);
try {
  const page = await browser.newPage();
  await page.goto(home);
  for await (const line of createInterface({ input: process.stdin })) {
    const code = await page.evaluate(
      (url) =>
        new Promise((done) => {
          const socket = new WebSocket(url);
          socket.binaryType = "arraybuffer";
          socket.onmessage = ({ data }) => socket.send(data);
          socket.onclose = ({ code }) => done(code);
        }),
      line.split(" ")[0],
    );
    console.log(`closed ${code}`);
  }
} finally {
  await browser.close();
}
