// What is being written is kept, sealed, until it is sent or given up: across a reload, a crash and the lock.
import assert from "node:assert/strict";
import { test } from "node:test";
import { composer, post, postWith, share, startCommunity } from "./harness/app.mjs";
import { canary, dumpOrigin, searchBytes } from "./harness/canary.mjs";
import { lock, openKeys, setPassphrase, unlock } from "./harness/keys.mjs";
import { choose, editor } from "./harness/posts.mjs";
import { Scene } from "./harness/scene.mjs";
import { look } from "./harness/screens.mjs";
import { words } from "./harness/words.mjs";

const FIRST = "The lantern is lit.";
const button = (page, name) => page.getByRole("button", { name, exact: true });
const comment = (page) => page.getByRole("textbox", { name: words.threads.label });
/** Waits until a field holds a text. */
const holds = (page, id, text) =>
  page.waitForFunction(([id, text]) => document.getElementById(id)?.value === text, [id, text]);
/** After that the engine has it. */
const kept = (page) => page.waitForTimeout(1_000);

test("drafts outlast reload, crash and lock, and end with what is sent", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna");
  let { page } = anna;
  const text = canary("Half a sentence");
  await page.goto(relay.origin);
  await startCommunity(page, "Lantern Street", "Anna");
  await share(page);
  await post(page, FIRST);
  await postWith(page, FIRST).waitFor();

  // A post and a comment.
  await composer(page).fill(text);
  await choose(page, FIRST, words.threads.open);
  await comment(page).fill("It is");
  await kept(page);
  const sign = () => page.getByRole("navigation", { name: words.communities.title }).getByText(words.communities.draft);
  await sign().first().waitFor({ state: "attached" });
  await look(page, "drafts");
  await page.reload();
  await holds(page, "compose", text);

  // The process ends without a word.
  await composer(page).fill(`${text}, and more`);
  await kept(page);
  await anna.page.goto("chrome://crash").catch(() => {});
  await anna.closeBrowser().catch(() => {});
  await anna.openBrowser();
  page = anna.page;
  await page.goto(relay.origin);
  await holds(page, "compose", `${text}, and more`);
  await choose(page, FIRST, words.threads.open);
  await holds(page, "comment", "It is");
  await page.keyboard.press("Escape");
  await choose(page, FIRST, words.post.edit);
  await editor(page).fill("The lantern is lit again.");
  await kept(page);

  // Nothing of it lies open, and locking keeps it, also what was typed just now.
  const { bytes } = await dumpOrigin(page);
  assert.deepEqual(searchBytes(bytes, { text }), [], "in what the browser stores");
  await openKeys(page);
  await setPassphrase(page, "lantern soup at seven");
  await page.getByText(words.keys.lock_about).waitFor();
  await button(page, words.app.back).click();
  await composer(page).fill(`${text}!`);
  await openKeys(page);
  await lock(page);
  await unlock(page, "lantern soup at seven");
  await holds(page, "compose", `${text}!`);
  await choose(page, FIRST, words.post.edit);
  await holds(page, "edit", "The lantern is lit again.");

  // Given up, or sent: no longer there.
  await page.keyboard.press("Escape");
  await choose(page, FIRST, words.post.edit);
  await holds(page, "edit", FIRST);
  await page.keyboard.press("Escape");
  await button(page, words.composer.send).click();
  await postWith(page, `${text}!`).waitFor();
  await choose(page, FIRST, words.threads.open);
  await comment(page).fill("");
  await kept(page);
  await page.reload();
  await unlock(page, "lantern soup at seven");
  await postWith(page, `${text}!`).waitFor();
  await kept(page);
  assert.equal(await composer(page).inputValue(), "");
  assert.equal(await sign().count(), 0);
  scene.assertClean();
});
