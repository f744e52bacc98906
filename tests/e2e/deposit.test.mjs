// What was written offline leaves when the network is back, although no page of the app is open any more; and what leaves
// when a page goes out of sight is always as much.
import assert from "node:assert/strict";
import { test } from "node:test";
import { join, openInvite, post, postWith, share, startCommunity, stateOf, waitUntilSent } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";
import { until, watchWorkers } from "./harness/until.mjs";
import { words } from "./harness/words.mjs";

const FRAMES = 4 * 2_048;
const FIRST = "Written on the train.";
const SECOND = "Written in the tunnel.";

test("a post written offline leaves with no page open", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const [anna, bert] = [await scene.person("anna"), await scene.person("bert")];
  await anna.page.goto(relay.origin);
  await startCommunity(anna.page, "Lantern Street");
  await openInvite(bert.page, await share(anna.page));
  await join(bert.page);
  await post(bert.page, FIRST);
  await waitUntilSent(bert.page, FIRST);
  await activated(bert.page);

  // A page of nobody's keeps the browser open.
  const blank = await bert.context.newPage();
  const worker = await watch(blank);
  await until(async () => isEmpty(await deposited(bert.page)));
  await bert.goOffline();
  await post(bert.page, SECOND);
  await stateOf(bert.page, SECOND, words.feed.waiting).waitFor();
  // More than pads: two cells.
  await until(async () => (await deposited(bert.page)) > 2 * 1_700);
  await bert.page.close();
  await bert.goOnline();
  bert.network.posts.length = 0;
  // The browser would do this by itself, some minutes after the first attempt failed.
  await worker.sync(relay.origin);
  await postWith(anna.page, SECOND).waitFor();
  assert.deepEqual(bert.network.posts, [{ path: "/v1/f", sent: FRAMES, got: FRAMES }]);

  // Whoever comes back finds it sent, once.
  bert.page = await bert.context.newPage();
  await bert.page.goto(relay.origin);
  await waitUntilSent(bert.page, SECOND);
  assert.equal(await postWith(anna.page, SECOND).count(), 1);
  scene.assertClean();
});

test("a page that goes out of sight sends as much when nothing waits", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna");
  await anna.page.goto(relay.origin);
  await startCommunity(anna.page, "Lantern Street");
  await share(anna.page);
  await post(anna.page, FIRST);
  await waitUntilSent(anna.page, FIRST);
  await until(async () => isEmpty(await deposited(anna.page)));
  await activated(anna.page);
  // As browsers do that have it, until somebody says no. The harness grants what it names, and nothing else.
  await anna.context.grantPermissions(["background-sync"], { origin: relay.origin });
  // The window is behind another one. The browser has a network and gives the service worker its moment at once.
  await anna.page.evaluate(() => {
    Object.defineProperty(document, "hidden", { value: true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  });
  await until(() => anna.network.posts.length > 0);
  assert.deepEqual(anna.network.posts, [{ path: "/v1/f", sent: FRAMES, got: FRAMES }]);
  scene.assertClean();
});

/** How many bytes of what is kept are not zero. */
const deposited = (page) => page.evaluate(async () => {
  const kept = await (await caches.open("ume-deposit")).matchAll();
  const bodies = await Promise.all(kept.map((one) => one.arrayBuffer()));
  return bodies.reduce((sum, body) => sum + new Uint8Array(body).filter(Boolean).length, 0);
});

/** Four frames that say nothing: some bytes each. */
const isEmpty = (bytes) => bytes > 0 && bytes < 100;

const activated = (page) => page.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated");

/** The service worker of an origin, through the browser's own debugging protocol. */
async function watch(page) {
  const { devtools, known } = await watchWorkers(page);
  return {
    sync: (origin) => devtools.send("ServiceWorker.dispatchSyncEvent", { origin, registrationId: known.get(`${origin}/`), tag: "deposit", lastChance: false }),
  };
}
