// Everything is erased, in all tabs, and only when somebody meant it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { closePeople, post, share, startCommunity } from "./harness/app.mjs";
import { openKeys } from "./harness/keys.mjs";
import { Scene } from "./harness/scene.mjs";
import { look } from "./harness/screens.mjs";
import { words } from "./harness/words.mjs";

const button = (page, name) => page.getByRole("button", { name, exact: true });

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
  await page.bringToFront();

  await openKeys(page);
  const erase = page.locator("[data-test=erase]");
  await button(erase, words.vault.erase).dblclick();
  // Whoever taps twice is asked, or has changed nothing.
  const about = erase.getByText(words.keys.erase_about);
  await erase.getByText(words.vault.erase_text).or(about).waitFor();
  if (await about.isVisible()) await button(erase, words.vault.erase).click();
  await erase.getByText(words.vault.erase_text).waitFor();
  assert.equal(await page.locator("[data-test=erased]").count(), 0);
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
