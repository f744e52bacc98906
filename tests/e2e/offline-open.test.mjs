// The service worker: the app opens without a network, and a new version is offered, never forced.
import assert from "node:assert/strict";
import { test } from "node:test";
import { composer, firstScreen, post, postWith, serviceWorkerReady, share, startCommunity, waitUntilSent } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";
import { look } from "./harness/screens.mjs";
import { words } from "./harness/words.mjs";

test("the app opens with the relay gone, and shows what is stored here", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna");
  await anna.page.goto(relay.origin);
  await firstScreen(anna.page).waitFor();
  await serviceWorkerReady(anna.page);
  await startCommunity(anna.page, "Lantern Street");
  await share(anna.page);
  await post(anna.page, "The lantern is lit.");
  await waitUntilSent(anna.page, "The lantern is lit.");
  await anna.closeBrowser();
  await relay.kill();

  await anna.openBrowser();
  await anna.page.goto(relay.origin);
  await composer(anna.page).waitFor();
  await postWith(anna.page, "The lantern is lit.").waitFor();
  await anna.page.getByText(words.connection.offline_text).waitFor();
  await look(anna.page, "offline");
  scene.assertClean();
});

test("a new version waits until it is wanted", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna");
  await anna.page.goto(relay.origin);
  await serviceWorkerReady(anna.page);
  await relay.serveNewerApp();
  await anna.page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update());
  const restart = anna.page.getByRole("button", { name: words.update.go });
  await anna.page.getByText(words.update.ready).waitFor();
  await look(anna.page, "update");
  const before = await cacheNames(anna.page);
  await Promise.all([anna.page.waitForEvent("load"), restart.click()]);
  await firstScreen(anna.page).waitFor();
  await anna.page.waitForFunction(async (old) => !(await caches.keys()).some((name) => old.includes(name)), before);
  assert.equal((await cacheNames(anna.page)).length, 1);
  scene.assertClean();
});

const cacheNames = (page) => page.evaluate(() => caches.keys());
