// The keyboard alone: start, invite, write, look at people, settings. The focus goes where the person went.
import assert from "node:assert/strict";
import { test } from "node:test";
import { firstScreen, postWith } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";
import { words } from "./harness/words.mjs";

/** Stops on the way to anything, at most. */
const STOPS = 60;

/** In the page: what a screen reader would call the thing that has the focus, and what it is. */
function focused() {
  const one = document.activeElement;
  const named = one.getAttribute("aria-labelledby")?.split(" ").map((id) => document.getElementById(id)?.textContent).join(" ");
  const label = one.labels?.[0];
  // What can be chosen is part of the label's text, not of the name.
  const called = one.matches("select") ? label?.querySelector("span")?.textContent : label?.textContent;
  const name = named ?? one.getAttribute("aria-label") ?? called ?? one.textContent;
  return { name: name.replaceAll(/\s+/g, " ").trim(), tag: one.tagName };
}

/** Goes on with the keyboard until something of that name has the focus. */
async function reach(page, name, key = "Tab") {
  const seen = [];
  for (let stop = 0; stop < STOPS; stop += 1) {
    const now = await page.evaluate(focused);
    if (now.name === name || (name instanceof RegExp && name.test(now.name))) return;
    seen.push(now.name.slice(0, 40));
    await page.keyboard.press(key);
  }
  assert.fail(`no way by ${key} to ${name}; on the way: ${seen.join(" | ")}`);
}

async function press(page, name) {
  await reach(page, name);
  await page.keyboard.press("Enter");
}

/** The page's heading has the focus. */
const arrived = (page, heading) =>
  page.waitForFunction((heading) => document.activeElement?.tagName === "H1" && document.activeElement.textContent.trim() === heading, heading);

test("start, invite, write, people and settings by keyboard alone", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna");
  const { page } = anna;
  await page.goto(relay.origin);
  await firstScreen(page).waitFor();

  await press(page, words.welcome.start_go);
  await page.getByLabel(words.start.name).waitFor();
  await reach(page, words.start.name);
  await page.keyboard.type("Lantern Street");
  await press(page, words.start.go);

  // The share sheet opens by itself, and leaves the focus in the page.
  const sheet = page.getByRole("dialog", { name: words.share.title });
  await sheet.waitFor();
  await press(page, words.share.copy);
  await sheet.getByText(words.share.copied).waitFor();
  await page.keyboard.press("Escape");
  await sheet.waitFor({ state: "hidden" });
  await page.waitForFunction(() => document.activeElement !== document.body);

  await reach(page, words.composer.label);
  await page.keyboard.type("Written without a mouse.");
  await press(page, words.composer.send);
  await postWith(page, "Written without a mouse.").waitFor();

  await reach(page, new RegExp(`^${words.people.title}`), "Shift+Tab");
  await page.keyboard.press("Enter");
  await arrived(page, words.people.title);
  await press(page, words.people.rules);
  await press(page, words.people.members);
  await reach(page, words.app.back, "Shift+Tab");
  await page.keyboard.press("Enter");
  await arrived(page, "Lantern Street");

  await reach(page, words.settings.title, "Shift+Tab");
  await page.keyboard.press("Enter");
  await arrived(page, words.settings.title);
  await reach(page, words.settings.theme_system);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  await reach(page, words.settings.language);
  await page.keyboard.type("Esp");
  await page.waitForFunction(() => document.documentElement.lang === "es");
  scene.assertClean();
});
