// A person at our echo server's page, in a headless Chromium: node browser.mjs CHROMIUM URL SCREENSHOT

import assert from "node:assert/strict";
import { check } from "./check.mjs";
import { launch } from "./chromium.mjs";

const [executablePath, url, screenshot] = process.argv.slice(2);
const browser = await launch(executablePath);
try {
  const page = await browser.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));

  await check("the page connects", async () => {
    await page.goto(url);
    await page.locator("#state", { hasText: "open" }).waitFor();
  });
  for (const [how, text, send] of [
    ["by Enter", "Grüße, 世界 🌍", () => page.locator("#text").press("Enter")],
    ["by the button", "<b>not bold</b>", () => page.locator("#send").click()],
  ]) {
    await check(`a text sent ${how} comes back`, async () => {
      await page.locator("#text").fill(text);
      await send();
      await page.locator("#log li.in", { hasText: text }).waitFor();
    });
  }
  await check("the round-trip time shows", async () => {
    assert.match(await page.locator("#rtt").innerText(), /\d/);
  });
  await check("a burst shows its throughput", async () => {
    await page.locator("#burst").click();
    await page.locator("#throughput", { hasText: /\d/ }).waitFor();
  });
  await check("the page made no error", async () => {
    assert.deepEqual(complaints, []);
    assert.match(await page.locator("#state").innerText(), /open/);
  });
  await page.screenshot({ path: screenshot });
} finally {
  await browser.close();
}
