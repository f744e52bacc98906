// What somebody new is shown above their first feed: four pictures, by keyboard, once; and the app in forced colours.
import assert from "node:assert/strict";
import { test } from "node:test";
import { composer, post, share, startCommunity, waitUntilSent } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";
import { inspect, look } from "./harness/screens.mjs";
import { go } from "./harness/walk.mjs";
import { words } from "./harness/words.mjs";

test("four pictures, once, and the last one leads to the keys", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  // As the app comes: nothing is chosen or read for anybody.
  const anna = await scene.person("anna", { cover: "default" });
  const { page } = anna;
  await page.goto(relay.origin);
  await startCommunity(page, "Lantern Street", "Anna");
  await share(page);
  const intro = page.locator("[data-test=intro]");
  const title = intro.getByRole("heading");
  await intro.waitFor();
  assert.deepEqual(await inspect(page, "intro"), [], "nothing wrong in any way");
  const next = page.locator("[data-test=intro-next]");
  await next.focus();
  for (const [index, name] of ["door", "sealed", "clock", "key"].entries()) {
    assert.equal(await title.textContent(), words.intro[name]);
    await intro.getByText(words.intro.at.replace("{{ at }}", index + 1).replace("{{ of }}", 4)).waitFor();
    assert.ok(await next.evaluate((one) => one === document.activeElement), "the focus stays");
    await look(page, `intro-${index + 1}`);
    await next.focus();
    await page.keyboard.press("Enter");
  }
  await page.locator("[data-test=keys]").first().waitFor();
  await page.goto(relay.origin);
  await composer(page).waitFor();
  await page.locator("[data-test=empty]").waitFor();
  assert.equal(await intro.count(), 0, "read once, never again");
  scene.assertClean();
});

test("whoever has had enough puts it away", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna", { cover: "default" });
  const { page } = anna;
  await page.goto(relay.origin);
  await startCommunity(page, "Lantern Street", "Anna");
  await share(page);
  await page.locator("[data-test=intro-over]").click();
  await page.locator("[data-test=intro]").waitFor({ state: "detached" });
  await page.reload();
  await page.locator("[data-test=empty]").waitFor();
  assert.equal(await page.locator("[data-test=intro]").count(), 0);
  scene.assertClean();
});

test("after the word about keys comes the one about installing, once", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna");
  const { page } = anna;
  await page.goto(relay.origin);
  await startCommunity(page, "Lantern Street", "Anna");
  await share(page);
  // As browsers do that offer it.
  const offer = () => page.evaluate(() => {
    const event = new Event("beforeinstallprompt", { cancelable: true });
    event.prompt = async () => { globalThis.asked = true; };
    dispatchEvent(event);
    return event.defaultPrevented;
  });
  assert.ok(await offer(), "not at once");
  const strip = page.locator("[data-test=install]");
  await post(page, "The lantern is lit.");
  const reminder = page.locator("[data-test=reminder]");
  await reminder.waitFor();
  assert.equal(await strip.count(), 0, "one word at a time");
  await reminder.getByRole("button", { name: words.notice.dismiss }).click();
  await offer();
  await strip.waitFor();
  await look(page, "install");
  await strip.getByRole("button", { name: words.install.go }).click();
  await page.waitForFunction(() => globalThis.asked);
  await strip.waitFor({ state: "detached" });
  await offer();
  await strip.getByRole("button", { name: words.notice.dismiss }).click();
  await strip.waitFor({ state: "detached" });
  await page.reload();
  await composer(page).waitFor();
  await offer();
  assert.equal(await strip.count(), 0, "no means no");
  scene.assertClean();
});

test("in forced colours everything can still be seen and told apart", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna");
  const { page } = anna;
  await page.emulateMedia({ forcedColors: "active" });
  await page.goto(relay.origin);
  await startCommunity(page, "Lantern Street", "Anna");
  await share(page);
  await post(page, "The lantern is lit.");
  await waitUntilSent(page, "The lantern is lit.");
  for (const place of ["home", "settings-open", "keys-open", "traffic-open"]) {
    if (place !== "home") await go(page, place);
    const name = `forced-${place.replace("-open", "")}`;
    await page.screenshot({ path: `target/screens/${name}.png` });
    assert.deepEqual(await page.evaluate(unseen), [], name);
  }
  scene.assertClean();
});

/** In the page: buttons without an edge, chosen things that look like the others, drawings in no colour of the system. */
function unseen() {
  const shown = (one) => one.checkVisibility() && one.getBoundingClientRect().width > 0;
  const edge = (one) => {
    const { borderTopStyle, borderTopWidth, outlineStyle } = getComputedStyle(one);
    return (borderTopStyle !== "none" && parseFloat(borderTopWidth) > 0) || outlineStyle !== "none";
  };
  const buttons = [...document.querySelectorAll("button.button")].filter(shown).filter((one) => !edge(one));
  // The browser's own boxes and circles show by themselves what is chosen.
  const own = (one) => one.previousElementSibling?.matches("input") && shown(one.previousElementSibling) && getComputedStyle(one.previousElementSibling).appearance !== "none";
  const chosen = [...document.querySelectorAll("input:checked + span, [aria-current=page], [aria-pressed=true]")].filter(shown).filter((one) => !edge(one) && !own(one));
  const icons = [...document.querySelectorAll("svg.icon path")].filter(shown).filter((one) => {
    const back = getComputedStyle(document.body).backgroundColor;
    return getComputedStyle(one).stroke === back;
  });
  return [...buttons, ...chosen, ...icons].map((one) => one.outerHTML.slice(0, 160));
}
