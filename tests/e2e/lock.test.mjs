// The lock: a passphrase is set, asked for, mistyped, and what was read is nowhere once ume is locked.
import assert from "node:assert/strict";
import { test } from "node:test";
import { closePeople, composer, post, postWith, share, startCommunity, waitUntilSent } from "./harness/app.mjs";
import { canary, dumpOrigin, searchBytes, searchFolder } from "./harness/canary.mjs";
import { lock, locked, openKeys, setPassphrase, unlock } from "./harness/keys.mjs";
import { memoryHolds, REMEMBER_MEMORY, snapshotHolds } from "./harness/memory.mjs";
import { Scene } from "./harness/scene.mjs";
import { look } from "./harness/screens.mjs";
import { like, words } from "./harness/words.mjs";

const button = (page, name) => page.getByRole("button", { name, exact: true });

test("a passphrase is set, asked for and mistyped, in every tab, and slows down who guesses", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna");
  const { page } = anna;
  const [passphrase, text] = [canary("lantern soup"), canary("A post says")];
  await page.goto(relay.origin);
  await startCommunity(page, "Lantern Street", "Anna");
  await share(page);
  await post(page, text);
  await waitUntilSent(page, text);
  await openKeys(page);
  await look(page, "keys-none");
  await setPassphrase(page, passphrase, () => look(page, "keys-passphrase"));
  await page.getByText(words.keys.asked).waitFor();
  await look(page, "keys-set");

  const second = await anna.context.newPage();
  await second.goto(relay.origin);
  await button(second, words.elsewhere.go).waitFor();
  await lock(page);
  await locked(second).waitFor();
  assert.equal(await composer(page).count(), 0, "nothing of what is inside shows");
  assert.equal((await page.locator("body").innerText()).includes("Lantern Street"), false);
  await look(page, "locked");

  const wait = page.getByText(like(words.vault.wait));
  for (const after of [page.getByText(words.vault.wrong), page.getByText(words.vault.wrong), wait]) {
    await unlock(page, "no lantern is lit");
    await button(page, words.vault.going).waitFor();
    await after.waitFor();
  }
  await page.reload();
  await wait.waitFor();
  await unlock(page, passphrase);
  await postWith(page, text).waitFor();
  await button(second, words.vault.go).waitFor();

  const { bytes } = await dumpOrigin(page);
  assert.deepEqual(searchBytes(bytes, { passphrase, text }), [], "in what the browser stores");
  scene.assertClean();
  await anna.closeBrowser();
  assert.deepEqual(await searchFolder(`${anna.profile}/Default/IndexedDB`, { passphrase, text }), [], "on disk");
});

test("once ume is locked, its keys and what it read are in no memory", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna", { beforeWorker: REMEMBER_MEMORY });
  const { page } = anna;
  const [passphrase, text] = [canary("lantern soup"), canary("A post says")];
  const opened = page.waitForEvent("worker", (worker) => worker.url().includes("engine-worker"));
  await page.goto(relay.origin);
  const worker = await opened;
  await startCommunity(page, "Lantern Street", "Anna");
  await share(page);
  await post(page, text);
  await waitUntilSent(page, text);
  await openKeys(page);
  await setPassphrase(page, passphrase);
  const vaultKey = Buffer.from(await worker.evaluate(() => self.umeVaultKey), "base64");
  assert.equal(vaultKey.length, 32);
  const secrets = { passphrase, text, vaultKey };
  assert.ok((await memoryHolds(worker, secrets)).includes("vaultKey"), "the search finds the key that is in use");
  assert.ok((await memoryHolds(worker, secrets)).includes("text"), "and what was written");

  await closePeople(page);
  await postWith(page, text).waitFor();
  assert.deepEqual(await snapshotHolds(page, { text }), ["text"], "the heap's search finds what is on the page");
  await openKeys(page);

  const ended = worker.waitForEvent("close");
  const begun = page.waitForEvent("worker", (worker) => worker.url().includes("engine-worker"));
  await lock(page);
  await ended;
  const anew = await begun;
  assert.ok(!page.workers().includes(worker), "the worker that had them is gone");
  assert.deepEqual(await memoryHolds(anew, secrets), [], "in the new worker");
  assert.deepEqual(await snapshotHolds(page, { passphrase, text }), [], "in the page's heap");
  scene.assertClean();
});
