// Other ways through the lock, and when ume locks itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import { share, startCommunity } from "./harness/app.mjs";
import { canary } from "./harness/canary.mjs";
import { lock, locked, openKeys, setPassphrase, unlock } from "./harness/keys.mjs";
import { Scene } from "./harness/scene.mjs";
import { look } from "./harness/screens.mjs";
import { words } from "./harness/words.mjs";

const button = (page, name) => page.getByRole("button", { name, exact: true });

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
  const sides = await page.locator("[data-test=keys] form").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().left));
  assert.equal(new Set(sides).size, 1, "one section below the other");
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
  const passphrase = canary("lantern soup");
  await setPassphrase(page, passphrase);
  await button(page, words.keys.passkey_add).click();
  const row = page.getByText(words.keys.passkey.replace("{{ number }}", "1"));
  await row.waitFor();
  await lock(page);
  await button(page, words.vault.use_passkey).click();
  await page.getByRole("heading", { name: "Lantern Street" }).waitFor();

  // Pictures end what is emulated, the authenticator too: from here on it is the passphrase that opens.
  await openKeys(page);
  await look(page, "keys-passkey");
  await lock(page);
  await look(page, "locked-passkey");
  await unlock(page, passphrase);
  await page.getByRole("heading", { name: "Lantern Street" }).waitFor();
  await openKeys(page);
  const name = words.keys.passkey.replace("{{ number }}", 1);
  await button(page.locator("[data-test=passkeys]"), `${words.keys.drop}: ${name}`).click();
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
  const hides = page.getByLabel(words.keys.hide);
  await hides.click();
  await hides.and(page.locator(":checked")).waitFor();
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
