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

test("recovery words open ume when the passphrase is forgotten", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna");
  const { page } = anna;
  await page.goto(relay.origin);
  await startCommunity(page, "Lantern Street", "Anna");
  await share(page);
  await openKeys(page);
  await setPassphrase(page, canary("lantern soup"));
  await button(page, words.keys.words_make).click();
  const section = page.locator("[data-test=words]");
  await button(page, words.keys.words_written).waitFor();
  const shown = await section.getByRole("listitem").allInnerTexts();
  assert.equal(shown.length, 12);
  await look(page, "keys-words");
  await button(page, words.keys.words_written).click();
  const fields = section.locator("input");
  const labels = await section.locator("label").allInnerTexts();
  const word = (label) => shown[Number(/\d+/.exec(label)[0]) - 1];
  await fields.nth(0).fill(word(labels[0]));
  await fields.nth(1).fill("wrong");
  await button(section, words.keys.save).click();
  await section.getByText(words.keys.word_wrong).waitFor();
  await look(page, "keys-words-asked");
  await fields.nth(0).fill(word(labels[0]));
  await fields.nth(1).fill(word(labels[1]));
  await button(section, words.keys.save).click();
  await section.getByText(words.keys.words_there).waitFor();

  await lock(page);
  await button(page, words.vault.use_words).click();
  await page.getByLabel(words.vault.words).fill("lantern soup");
  await button(page, words.vault.go).click();
  await page.getByText(words.vault.no_words).waitFor();
  await page.getByLabel(words.vault.words).fill(shown.join("  ").toUpperCase());
  await look(page, "locked-words");
  await button(page, words.vault.go).click();
  await page.getByRole("heading", { name: "Lantern Street" }).waitFor();
  scene.assertClean();
});

test("a passkey opens ume, and goes when it is removed", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna");
  const { page } = anna;
  const session = await anna.context.newCDPSession(page);
  await session.send("WebAuthn.enable");
  await session.send("WebAuthn.addVirtualAuthenticator", { options: {
    protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true,
    hasUserVerification: true, isUserVerified: true, hasPrf: true, automaticPresenceSimulation: true,
  } });
  // Passkeys belong to names, not to numbers.
  await page.goto(relay.origin.replace("127.0.0.1", "localhost"));
  await startCommunity(page, "Lantern Street", "Anna");
  await share(page);
  await openKeys(page);
  await setPassphrase(page, canary("lantern soup"));
  await button(page, words.keys.passkey_add).click();
  const row = page.getByText(words.keys.passkey.replace("{{ number }}", "1"));
  await row.waitFor();
  await look(page, "keys-passkey");
  await lock(page);
  await look(page, "locked-passkey");
  await button(page, words.vault.use_passkey).click();
  await page.getByRole("heading", { name: "Lantern Street" }).waitFor();
  await openKeys(page);
  await button(page.locator("[data-test=passkeys]"), words.keys.drop).click();
  await row.waitFor({ state: "detached" });
  await lock(page);
  await button(page, words.vault.go).waitFor();
  assert.equal(await button(page, words.vault.use_passkey).count(), 0);
  assert.deepEqual(anna.faults, []);
  scene.passed = true;
});

test("a browser without passkeys says nothing of them", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna", { beforePage: () => delete globalThis.PublicKeyCredential });
  const { page } = anna;
  await page.goto(relay.origin);
  await startCommunity(page, "Lantern Street", "Anna");
  await share(page);
  await openKeys(page);
  await setPassphrase(page, canary("lantern soup"));
  await page.locator("[data-test=words]").waitFor();
  assert.equal(await page.locator("[data-test=passkeys]").count(), 0);
  scene.assertClean();
});

test("ume locks itself when nobody touches it or looks at it, if it was told to", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna");
  const { page } = anna;
  await page.goto(relay.origin);
  await startCommunity(page, "Lantern Street", "Anna");
  await share(page);
  await openKeys(page);
  const passphrase = canary("lantern soup");
  await setPassphrase(page, passphrase);
  await page.getByLabel(words.keys.hide).check();
  await page.getByLabel(words.keys.idle).selectOption("1");
  await lock(page);
  await unlock(page, passphrase);
  await page.getByRole("heading", { name: "Lantern Street" }).waitFor();
  await openKeys(page);
  assert.equal(await page.getByLabel(words.keys.hide).isChecked(), true);
  assert.equal(await page.getByLabel(words.keys.idle).inputValue(), "1");
  await letPass(page, 61_000);
  await locked(page).waitFor();
  await unlock(page, passphrase);
  await page.getByRole("heading", { name: "Lantern Street" }).waitFor();
  await hide(page);
  await locked(page).waitFor();
  scene.assertClean();
});

test("everything is erased on request, and nothing is left", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna");
  const { page } = anna;
  await page.goto(relay.origin);
  await startCommunity(page, "Lantern Street", "Anna");
  await share(page);
  await post(page, "The lantern is lit.");
  await page.locator("[data-test=reminder]").waitFor();
  await look(page, "reminder");
  await button(page, words.vault.reminder_go).click();
  await page.locator("[data-test=keys]").waitFor();
  await closePeople(page);
  assert.equal(await page.locator("[data-test=reminder]").count(), 0, "it was heard");
  await page.waitForFunction(async () => (await caches.keys()).length > 0);
  const second = await anna.context.newPage();
  await second.goto(relay.origin);
  await button(second, words.elsewhere.go).waitFor();

  await openKeys(page);
  const erase = page.locator("[data-test=erase]");
  await button(erase, words.vault.erase).dblclick();
  await erase.getByText(words.keys.erase_about).waitFor();
  await button(erase, words.vault.erase).click();
  await erase.getByText(words.vault.erase_text).waitFor();
  await look(page, "erase");
  await button(erase, words.vault.erase).click();
  await page.locator("[data-test=erased]").waitFor();
  await look(page, "erased");
  const left = await page.evaluate(async () => ({
    databases: (await indexedDB.databases()).length,
    caches: await caches.keys(),
    local: Object.keys(localStorage),
    session: Object.keys(sessionStorage),
    workers: (await navigator.serviceWorker.getRegistrations()).length,
  }));
  assert.deepEqual(left, { databases: 0, caches: [], local: [], session: [], workers: 0 });
  await second.waitForURL("about:blank");
  await button(page, words.vault.anew).click();
  await button(page, words.welcome.start_go).waitFor();
  scene.assertClean();
});

/** As if that much time had passed. */
const letPass = (page, milliseconds) => page.evaluate((milliseconds) => {
  const now = Date.now.bind(Date);
  Date.now = () => now() + milliseconds;
}, milliseconds);

/** As if another window had been put over the page. */
const hide = (page) => page.evaluate(() => {
  Object.defineProperty(document, "hidden", { value: true });
  document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
});
