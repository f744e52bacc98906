// What the relay sees, live; and how far to hide, chosen, remembered and told to the engine.
import assert from "node:assert/strict";
import { test } from "node:test";
import { composer, post, startCommunity, waitUntilSent } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";
import { look } from "./harness/screens.mjs";
import { like, words } from "./harness/words.mjs";

const PAGE = words.traffic;
/** Longer than balanced takes for a tick either way. */
const TICKS_MS = 20_000;

const openTraffic = (page) => page.locator(".side").getByRole("button", { name: PAGE.title, exact: true }).click();
const radio = (page, name) => page.getByRole("radio", { name, exact: true });
const chosen = (page) => page.locator("[data-test=modes]").getByRole("radio", { checked: true });
const kept = (page) => page.evaluate(() => localStorage.getItem("cover"));
/** How many bars the picture has. */
const bars = (page, which = "wire-all") =>
  page.locator(`[data-test=picture] .${which}`).evaluate((path) => (path.getAttribute("d").match(/M/g) ?? []).length);

/** Waits until there are so many bars. */
async function drawn(page, least, which) {
  const until = Date.now() + TICKS_MS;
  while ((await bars(page, which)) < least) {
    assert.ok(Date.now() < until, `${await bars(page, which)} bars instead of ${least}`);
    await page.waitForTimeout(200);
  }
}

test("what passes is drawn as the network sees it, and on demand as only this person can", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const { page } = await scene.person("anna", { cover: "default" });
  await page.goto(relay.origin);
  await startCommunity(page, "Lantern Street", "Anna");
  await page.keyboard.press("Escape");
  await openTraffic(page);
  await page.locator("[data-test=line]").getByText(new URL(relay.origin).host).waitFor();
  await drawn(page, 5);
  // Nobody says anything, and still something passes.
  const before = await bars(page);
  await drawn(page, before + 3);
  await page.getByText(like(PAGE.passed)).waitFor();
  assert.equal(await bars(page, "wire-real"), 0, "as the relay sees it, all cells are alike");
  await look(page, "traffic");

  await page.getByRole("button", { name: words.app.back }).click();
  await composer(page).waitFor();
  await post(page, "The lantern is lit.");
  await waitUntilSent(page, "The lantern is lit.", TICKS_MS);
  await openTraffic(page);
  await page.getByRole("switch", { name: PAGE.mine }).check();
  await drawn(page, 1, "wire-real");
  assert.ok((await bars(page, "wire-real")) < (await bars(page)), "cover says nothing");
  await page.getByText(like(PAGE.passed_mine)).waitFor();
  await look(page, "traffic-mine");
  scene.assertClean();
});

test("how far to hide is chosen, remembered, and done", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna", { cover: "default" });
  const { page } = anna;
  await page.goto(relay.origin);
  await startCommunity(page, "Lantern Street", "Anna");
  await page.keyboard.press("Escape");
  await openTraffic(page);
  assert.equal(await chosen(page).getAttribute("aria-labelledby"), "cover-balanced", "balanced unless somebody chooses");
  await page.getByText(PAGE.balanced_wait).waitFor();
  const pace = page.locator("[data-test=line] dd").first();
  await radio(page, PAGE.strong).check();
  await pace.filter({ hasText: "0.5 seconds" }).waitFor({ timeout: TICKS_MS });
  await radio(page, PAGE.off).check();
  await pace.filter({ hasText: PAGE.pace_off }).waitFor({ timeout: TICKS_MS });
  assert.equal(await kept(page), "off");

  await page.reload();
  await composer(page).waitFor();
  // The settings say it too, and lead here.
  await page.locator("[data-test=settings-open]").filter({ visible: true }).click();
  await page.getByRole("main").getByRole("button", { name: PAGE.off, exact: true }).click();
  assert.equal(await chosen(page).getAttribute("aria-labelledby"), "cover-off", "the choice outlives the page");
  await pace.filter({ hasText: PAGE.pace_off }).waitFor({ timeout: TICKS_MS });

  // By keyboard alone.
  await chosen(page).focus();
  await page.keyboard.press("ArrowDown");
  assert.equal(await kept(page), "balanced");
  await pace.filter({ hasText: like(PAGE.pace_is) }).waitFor({ timeout: TICKS_MS });

  await page.getByRole("button", { name: PAGE.hurry, exact: true }).click();
  await page.getByText(PAGE.burst).waitFor();
  await anna.goOffline();
  await page.locator("[data-test=line]").getByText(words.connection.offline, { exact: true }).waitFor();
  await look(page, "traffic-offline");
  await anna.goOnline();
  scene.assertClean();
});
