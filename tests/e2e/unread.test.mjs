// What is unread: in the rail, in the title, and where somebody comes back to.
import assert from "node:assert/strict";
import { test } from "node:test";
import { closePeople, composer, openPeople, post, postMany, postWith, share, startCommunity, waitUntilSent } from "./harness/app.mjs";
import { look } from "./harness/screens.mjs";
import { STREET, three } from "./harness/street.mjs";
import { like, words } from "./harness/words.mjs";

const button = (page, name) => page.getByRole("button", { name, exact: true });
const rail = (page) => page.getByRole("navigation", { name: words.communities.title });
const inRail = (page, name) => rail(page).getByRole("button").filter({ hasText: name });
const badge = (page, name) => inRail(page, name).locator("[data-test=unread]");
const divider = (page) => page.getByText(words.feed.new, { exact: true });
const titled = (page, start) => page.waitForFunction((start) => document.title.startsWith(start), start);
const toNewest = (page) => page.locator("[data-test=newest]");
const box = (page) => page.getByRole("region", { name: words.feed.posts, exact: true });
/** Whether something is within the feed's view. */
const inView = (page, what) => what.evaluate((one) => {
  const [here, view] = [one.getBoundingClientRect(), one.closest(".timeline-box").getBoundingClientRect()];
  return here.top >= view.top - 1 && here.bottom <= view.bottom + 1;
});

test("what is unread is counted, met where one stopped reading, and read by being seen", async (t) => {
  const { scene, anna, bert } = await three(t);
  const { page } = bert;
  // Somewhere else: it counts in the rail and in the title.
  await button(page, words.communities.add).click();
  await startCommunity(page, "Orchard", "Bert");
  await share(page);
  await postMany(anna.page, 30);
  await waitUntilSent(anna.page, "Post number 30");
  await badge(page, STREET).getByText("30", { exact: true }).waitFor();
  await titled(page, "(30) Orchard");
  await look(page, "unread-rail");
  // It outlasts a reload.
  await page.reload();
  await badge(page, STREET).getByText("30", { exact: true }).waitFor();

  // One comes to the first of them; those below are still unread.
  await inRail(page, STREET).click();
  await divider(page).waitFor();
  await postWith(page, "Post number 1").first().waitFor();
  assert.ok(await inView(page, divider(page)), "the line between old and new is in view");
  await page.waitForFunction(() => Number(document.querySelector("[data-test=unread] [aria-hidden]")?.textContent) < 30);
  await toNewest(page).getByText(like(words.feed.fresh_other, { count: "" })).waitFor();
  const left = Number.parseInt(await badge(page, STREET).locator("[aria-hidden]").innerText(), 10);
  assert.ok(left > 0 && left < 30, `${left} are left`);
  await look(page, "unread-feed");

  // What comes in does not move what is read, and is counted by the button.
  const read = postWith(page, "Post number 3").first();
  const before = await read.boundingBox();
  await post(anna.page, "Soup is ready.");
  await toNewest(page).getByText(`${left + 1}`).waitFor();
  assert.ok(Math.abs((await read.boundingBox()).y - before.y) < 2, "it stays where it is");

  // The button leads to what is new, page by page, and to the end at last.
  while (await toNewest(page).isVisible()) {
    await toNewest(page).click();
    await page.waitForTimeout(100);
  }
  assert.ok(await inView(page, postWith(page, "Soup is ready.")));
  await badge(page, STREET).waitFor({ state: "detached" });
  await titled(page, STREET);
  // The line stays while one is here.
  await box(page).evaluate((one) => { one.scrollTop = -one.scrollHeight; });
  await divider(page).waitFor();
  // What was seen is stored a moment later.
  await page.waitForTimeout(600);
  await page.reload();
  await postWith(page, "Soup is ready.").waitFor();
  assert.equal(await divider(page).count(), 0);
  assert.ok(await inView(page, postWith(page, "Soup is ready.")));
  scene.assertClean();
});

test("comments count where one has a part in the thread, and a quiet community does not", async (t) => {
  const { scene, anna, bert } = await three(t);
  await button(anna.page, words.communities.add).click();
  await startCommunity(anna.page, "Orchard", "Anna");
  await share(anna.page);
  const answer = async (text) => {
    await bert.page.getByRole("textbox", { name: words.threads.label }).fill(text);
    await bert.page.keyboard.press("Enter");
    await postWith(bert.page, text).first().waitFor();
  };
  await postWith(bert.page, "The lantern is lit.").hover();
  await postWith(bert.page, "The lantern is lit.").getByRole("button", { name: words.threads.open }).click();
  await answer("It is beautiful.");
  await badge(anna.page, STREET).getByText("1", { exact: true }).waitFor();
  await inRail(anna.page, STREET).click();
  await anna.page.locator("[data-test=thread-open]").click();
  await badge(anna.page, STREET).waitFor({ state: "detached" });

  await openPeople(anna.page);
  const mute = anna.page.getByRole("button", { name: words.communities.mute });
  await mute.click();
  await mute.and(anna.page.locator("[aria-pressed=true]")).waitFor();
  await closePeople(anna.page);
  await inRail(anna.page, "Orchard").click();
  await answer("And bright.");
  await composer(bert.page).fill("Soup is ready.");
  await composer(bert.page).press("Enter");
  await inRail(anna.page, STREET).getByText(words.communities.muted).waitFor();
  await waitUntilSent(bert.page, "Soup is ready.");
  await anna.page.reload();
  await inRail(anna.page, STREET).getByText(words.communities.muted).waitFor();
  assert.equal(await badge(anna.page, STREET).count(), 0);
  await titled(anna.page, "Orchard");
  await look(anna.page, "muted");
  scene.assertClean();
});

test("all is marked as read with one tap", async (t) => {
  const { scene, anna, bert } = await three(t);
  await button(bert.page, words.communities.add).click();
  await startCommunity(bert.page, "Orchard", "Bert");
  await share(bert.page);
  await post(anna.page, "Soup is ready.");
  await badge(bert.page, STREET).getByText("1", { exact: true }).waitFor();
  await button(bert.page, words.communities.read_all).click();
  await badge(bert.page, STREET).waitFor({ state: "detached" });
  assert.equal(await button(bert.page, words.communities.read_all).count(), 0);
  await bert.page.reload();
  await inRail(bert.page, STREET).click();
  await postWith(bert.page, "Soup is ready.").waitFor();
  assert.equal(await divider(bert.page).count(), 0);
  scene.assertClean();
});
