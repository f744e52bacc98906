// A relay that makes lanes for holders of an access key only: whoever starts a community needs one, and nobody else.
import assert from "node:assert/strict";
import { test } from "node:test";
import { composer, firstScreen, join, joinButton, post, postWith, share, waitUntilSent } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";
import { look } from "./harness/screens.mjs";
import { words } from "./harness/words.mjs";

/** Fills in the form of a new community up to its button; what it says is wrong then. */
async function formOf(page, origin) {
  await page.goto(origin);
  await firstScreen(page).click();
  await page.getByLabel(words.start.name).fill("Lantern Street");
  const field = page.getByLabel(words.start.access);
  const failure = (name) => page.locator(`[data-failure=${name}]`);
  const tryWith = async (key) => {
    if (key !== undefined) await field.fill(key);
    await page.getByRole("button", { name: words.start.go, exact: true }).click();
  };
  return { field, failure, tryWith };
}

test("a community begins with an access key, and its members need none", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay(["--access", "keys"]);
  const key = await relay.accessKey("lantern street");
  assert.ok(key, "the key is printed");
  const old = await relay.accessKey("old");
  await relay.revoke("old");
  const empty = await relay.accessKey("empty", "--lanes", "0");

  const anna = await scene.person("anna");
  const { field, failure, tryWith } = await formOf(anna.page, relay.origin);
  assert.equal(await field.count(), 0, "nobody is asked for a key that may not be needed");
  await tryWith();
  await failure("AccessNeeded").waitFor();
  await look(anna.page, "access-needed");
  await tryWith("");
  await anna.page.getByText(words.start.access_missing).waitFor();
  for (const [wrong, why] of [[key.slice(0, -1), "AccessRefused"], [old, "AccessRefused"], [empty, "AccessUsedUp"]]) {
    await tryWith(wrong);
    await failure(why).waitFor();
    await look(anna.page, `access-${why === "AccessUsedUp" ? "used-up" : "refused"}`);
  }
  await tryWith(key);
  await composer(anna.page).waitFor();
  const link = await share(anna.page);
  await post(anna.page, "The lantern is lit.");
  await waitUntilSent(anna.page, "The lantern is lit.");
  await anna.closeBrowser();

  const bert = await scene.person("bert");
  await bert.page.goto(link);
  await joinButton(bert.page).waitFor();
  await join(bert.page, "Bert");
  await postWith(bert.page, "The lantern is lit.").waitFor();
  await post(bert.page, "I bring two chairs.");
  await waitUntilSent(bert.page, "I bring two chairs.");
  scene.assertClean();
});

test("people are told when their community's key is taken back, and what they write is kept", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay(["--access", "keys"]);
  const key = await relay.accessKey("lantern street");
  const anna = await scene.person("anna");
  const { failure, tryWith } = await formOf(anna.page, relay.origin);
  await tryWith();
  await failure("AccessNeeded").waitFor();
  await tryWith(key);
  await composer(anna.page).waitFor();
  const link = await share(anna.page);

  await relay.revoke("lantern street");
  // With Bert the group's keys change, and with them the lane for posts: a new one needs the key.
  const bert = await scene.person("bert");
  await bert.page.goto(link);
  await joinButton(bert.page).waitFor();
  await join(bert.page, "Bert");
  await post(bert.page, "Is anybody here?");
  const notice = bert.page.getByText(words.notice.access_refused);
  await notice.waitFor();
  await look(bert.page, "access-taken-back");
  await bert.page.reload();
  await postWith(bert.page, "Is anybody here?").waitFor();
  await notice.waitFor();
  scene.assertClean();
});
