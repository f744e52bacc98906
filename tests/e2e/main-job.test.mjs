// The main job: start a community, share its link, post, leave; somebody else joins with nobody there, reads and replies.
import assert from "node:assert/strict";
import { test } from "node:test";
import { composer, join, joinButton, post, postWith, share, startCommunity, waitUntilSent } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";

const POSTS = ["The lantern is lit.", "Soup at seven.", "Bring a chair."];
const REPLY = "I bring two chairs.";

/** How long a post may wait for its turns, with cover traffic. */
const TURNS_MS = 60_000;

async function mainJob(t, between, options = {}) {
  const scene = new Scene(t);
  const relay = await scene.relay();

  const anna = await scene.person("anna", options);
  await anna.page.goto(relay.origin);
  await startCommunity(anna.page, "Lantern Street", "Anna");
  const link = await share(anna.page);
  assert.ok(link.startsWith(`${relay.origin}/j#1.`), "the link leads to this copy of the app");
  await between(relay);
  for (const text of POSTS) {
    await post(anna.page, text);
    await between(relay);
  }
  for (const text of POSTS) await waitUntilSent(anna.page, text, TURNS_MS);
  await anna.closeBrowser();
  await between(relay);

  const bert = await scene.person("bert", options);
  const opened = performance.now();
  await bert.page.goto(link, { waitUntil: "commit" });
  await joinButton(bert.page).waitFor();
  const card = performance.now() - opened;
  assert.ok((await bert.page.textContent("body")).includes("Lantern Street"), "the card names the community");
  assert.ok(!bert.page.url().includes("#"), "the secret is gone from the address bar");
  await between(relay);
  const tapped = performance.now();
  await join(bert.page, "Bert");
  for (const text of POSTS) await postWith(bert.page, text).waitFor();
  const posts = performance.now() - tapped;
  t.diagnostic(`card after ${Math.round(card)} ms, posts ${Math.round(posts)} ms after Join`);
  await between(relay);
  await post(bert.page, REPLY);
  await waitUntilSent(bert.page, REPLY, TURNS_MS);
  await between(relay);

  await anna.openBrowser();
  await anna.page.goto(relay.origin);
  await composer(anna.page).waitFor();
  await postWith(anna.page, REPLY).waitFor();
  assert.equal(await anna.page.getByRole("article").count(), POSTS.length + 1, "each post is there once");
  scene.assertClean();
}

test("a newcomer joins with nobody there, reads and replies", async (t) => {
  // How long it takes is printed here and measured by the benchmark; a busy machine must not fail a right answer.
  await mainJob(t, async () => {});
});

test("the same with the relay killed and restarted between the steps", async (t) => {
  await mainJob(t, (relay) => relay.killAndRestart());
});

test("the same with cover traffic, as it is unless somebody chooses", async (t) => {
  await mainJob(t, async () => {}, { cover: "default" });
});
