// A relay, or a line to it, that changes what it carries: noticed, said, never shown, and nothing lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { join, openInvite, post, postWith, share, startCommunity, waitUntilSent } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";
import { look } from "./harness/screens.mjs";
import { like, words } from "./harness/words.mjs";

test("a changed cell is noticed, and the post is had unchanged later", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const [anna, bert] = [await scene.person("anna"), await scene.person("bert")];
  await anna.page.goto(relay.origin);
  await startCommunity(anna.page, "Lantern Street");
  const link = await share(anna.page);
  await openInvite(bert.page, link);
  await join(bert.page);
  await post(anna.page, "Before.");
  await postWith(bert.page, "Before.").waitFor();

  bert.network.lies = 1;
  await post(anna.page, "Changed on the way.");
  await waitUntilSent(anna.page, "Changed on the way.");
  await bert.page.getByText(like(words.notice.tampers_one)).first().waitFor();
  assert.equal(bert.network.lies, 0);
  await look(bert.page, "tampered");

  await post(anna.page, "After.");
  await postWith(bert.page, "After.").waitFor();
  await bert.page.reload();
  await postWith(bert.page, "Changed on the way.").waitFor({ timeout: 30_000 });
  scene.assertClean();
});
