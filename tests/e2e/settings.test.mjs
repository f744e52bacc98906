// Settings: how ume looks, what it stores, how its relays are, which one it is; and what is copied says nothing about anybody.
import assert from "node:assert/strict";
import { test } from "node:test";
import { composer, firstScreen, post, serviceWorkerReady, share, startCommunity, waitUntilSent } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";
import { go } from "./harness/walk.mjs";
import { words } from "./harness/words.mjs";

const SETTINGS = words.settings;
const KEPT = "400 days";

test("settings", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna");
  const { page } = anna;
  const card = (name) => page.locator(`[data-test=${name}]`);
  const choose = (group, option) => page.getByRole("group", { name: group }).getByRole("radio", { name: option, exact: true }).check();
  const root = (name) => page.locator("html").getAttribute(`data-${name}`);
  const style = (name) => page.evaluate((name) => getComputedStyle(document.documentElement)[name], name);

  // Before there is anything: the first screen leads here too, and back.
  await page.goto(relay.origin);
  await firstScreen(page).waitFor();
  await serviceWorkerReady(page);
  await page.locator("main [data-test=settings-open]").click();
  await page.getByText(SETTINGS.keys_none).waitFor();
  await page.getByText(words.traffic.nothing).waitFor();
  await page.getByRole("button", { name: words.app.back, exact: true }).click();
  await startCommunity(page, "Lantern Street", "Anna Lind");
  await share(page);
  await post(page, "The lantern is lit.");
  await waitUntilSent(page, "The lantern is lit.");
  await go(page, "settings-open");

  // How it looks.
  await choose(SETTINGS.theme, SETTINGS.theme_dark);
  assert.match(await style("colorScheme"), /^dark/);
  await choose(SETTINGS.size, SETTINGS.size_huge);
  assert.equal(await style("fontSize"), "23px");
  await choose(SETTINGS.spacing, SETTINGS.spacing_compact);
  await choose(SETTINGS.contrast, SETTINGS.contrast_more);
  await page.reload();
  await composer(page).waitFor();
  assert.deepEqual([await root("theme"), await root("size"), await root("spacing"), await root("contrast")], ["dark", "huge", "compact", "more"]);
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(0, 0, 0)");
  await go(page, "settings-open");
  await choose(SETTINGS.size, SETTINGS.size_normal);
  assert.equal(await root("size"), null, "what is not chosen is not said");

  // What is stored: every part with its size.
  const parts = card("storage").getByRole("listitem");
  await parts.filter({ hasText: SETTINGS.kept_posts }).getByText(/\d/).first().waitFor();
  await parts.filter({ hasText: SETTINGS.kept_keys }).waitFor();
  await parts.filter({ hasText: SETTINGS.kept_files }).waitFor();
  const bars = await card("storage").locator(".shares rect").count();
  assert.equal(bars, await parts.count(), "a bar for each line");
  await card("kept").filter({ hasText: /\S/ }).waitFor();

  // How relays are, and what they promise.
  const one = card("relay");
  await one.getByText(words.connection.online, { exact: true }).waitFor();
  await one.getByText(KEPT).waitFor();
  await one.getByText(SETTINGS.access_free).waitFor();

  // Which ume it is: the page's own script says so.
  const [, build] = /boot-([0-9a-f]{16})\.js/.exec(await page.locator("script[src*=boot]").getAttribute("src"));
  await card("about").getByText(build, { exact: true }).waitFor();

  // What is copied.
  await card("copy-diagnostic").click();
  await page.getByText(words.share.copied, { exact: true }).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  for (const line of [/^ume: .*[0-9a-f]{16}$/m, /^browser: .*Chrome/m, /^cover: off/m, /^communities: 1 in$/m, /^relay: up=true/m, /^table: Posts rows=[1-9]/m]) {
    assert.match(copied, line);
  }
  for (const secret of ["Lantern", "Anna", "Lind", relay.listen, "127.0.0.1", "http"]) {
    assert.ok(!copied.includes(secret), `${secret} is in what is copied`);
  }
  assert.doesNotMatch(copied.replace(build, ""), /[0-9a-f]{16}/, "nothing that looks like an id");

  // The app's files are fetched anew, and everything else stays; without a server nothing is cleared.
  await relay.kill();
  await card("renew").click();
  await page.getByText(SETTINGS.renew_failed).waitFor();
  assert.equal(await page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith("ume-shell-")).length), 1);
  await relay.run();
  await card("renew").click();
  await composer(page).waitFor();
  await page.getByText("The lantern is lit.").waitFor();
  await serviceWorkerReady(page);
  assert.equal(await page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith("ume-shell-")).length), 1, "the copy is there again");
  scene.assertClean();
});
