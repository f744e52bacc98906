// A post written without a network waits with a clock, survives, and gets its tick when the network returns.
import { test } from "node:test";
import { join, openInvite, post, postWith, share, startCommunity, stateOf, waitUntilSent } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";
import { words } from "./harness/words.mjs";

const FIRST = "Written on the train.";
const SECOND = "Written in the tunnel.";

test("a post written offline waits with a clock and is sent later", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const [anna, bert] = [await scene.person("anna"), await scene.person("bert")];
  await anna.page.goto(relay.origin);
  await startCommunity(anna.page, "Lantern Street");
  const link = await share(anna.page);
  await openInvite(bert.page, link);
  await join(bert.page);
  await post(bert.page, FIRST);
  await waitUntilSent(bert.page, FIRST);

  await bert.goOffline();
  await post(bert.page, SECOND);
  await stateOf(bert.page, SECOND, words.feed.waiting).waitFor();
  await bert.page.getByText(words.connection.offline_text).waitFor();
  await bert.goOnline();
  await waitUntilSent(bert.page, SECOND, 30_000);
  await postWith(anna.page, SECOND).waitFor();
  scene.assertClean();
});

test("a post written offline survives the browser and is sent by the next one", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna");
  await anna.page.goto(relay.origin);
  await startCommunity(anna.page, "Lantern Street");
  await share(anna.page);
  await post(anna.page, FIRST);
  await waitUntilSent(anna.page, FIRST);
  await relay.kill();
  await post(anna.page, SECOND);
  await stateOf(anna.page, SECOND, words.feed.waiting).waitFor();
  await anna.closeBrowser();

  await relay.run();
  await anna.openBrowser();
  await anna.page.goto(relay.origin);
  await waitUntilSent(anna.page, SECOND);
  scene.assertClean();
});
