// A long feed: of many posts only those near the view are in the page, and scrolling, the keyboard and screen readers do not notice.
import assert from "node:assert/strict";
import { test } from "node:test";
import { post, postMany, postWith, waitUntilSent } from "./harness/app.mjs";
import { look } from "./harness/screens.mjs";
import { three } from "./harness/street.mjs";
import { words } from "./harness/words.mjs";

const COUNT = 200;
const ROWS_MAX = 90;
const box = (page) => page.getByRole("region", { name: words.feed.posts, exact: true });
const feed = (page) => page.getByRole("feed", { name: words.feed.posts, exact: true });
const rows = (page) => feed(page).locator(":scope > *");
const wheel = async (page, by) => {
  await page.mouse.wheel(0, by);
  // Two frames: the wheel's, and one to be still in.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
};
/** In the page: which posts are in view, by number, and what is wrong with them. */
function examine(scroller) {
  const view = scroller.getBoundingClientRect();
  const seen = [...scroller.querySelectorAll("article")].filter((one) => {
    const { top, bottom } = one.getBoundingClientRect();
    return bottom > view.top + 1 && top < view.bottom - 1;
  });
  const numbers = seen.map((one) => Number(/Post number (\d+)/.exec(one.textContent)?.[1]));
  const places = seen.map((one) => Number(one.getAttribute("aria-posinset")));
  const wrong = [];
  for (let at = 1; at < numbers.length; at += 1) {
    if (numbers[at] !== numbers[at - 1] + 1) wrong.push(`${numbers[at - 1]} before ${numbers[at]}`);
    if (places[at] !== places[at - 1] + 1) wrong.push(`place ${places[at - 1]} before ${places[at]}`);
  }
  const covered = seen.reduce((sum, one) => sum + one.closest("li").getBoundingClientRect().height, 0);
  if (seen.length === 0 || covered < view.height - 150) wrong.push(`${covered} px of ${view.height} are drawn`);
  return { numbers, wrong };
}

test("of a long feed only what is near is in the page", async (t) => {
  const { scene, anna, bert } = await three(t);
  const { page } = bert;
  await postMany(anna.page, COUNT);
  await waitUntilSent(anna.page, `Post number ${COUNT}`);
  await postWith(page, `Post number ${COUNT}`).waitFor();
  assert.ok((await rows(page).count()) < ROWS_MAX);

  // Up, through pages that are fetched ahead, to where it begins: everything is there, in its order.
  await box(page).hover();
  const met = new Set();
  for (let turn = 0; turn < 200 && !met.has(1); turn += 1) {
    const { numbers, wrong } = await box(page).evaluate(examine);
    assert.deepEqual(wrong.filter((one) => !/NaN/.test(one)), [], `after ${turn} turns`);
    numbers.forEach((number) => met.add(number));
    assert.ok((await rows(page).count()) < ROWS_MAX);
    await wheel(page, -400);
  }
  assert.equal([...met].filter((number) => number > 0).length, COUNT, "each was met");
  await page.getByText(words.feed.beginning).waitFor();
  assert.equal(await feed(page).getByRole("article").first().getAttribute("aria-setsize"), String(COUNT + 1));
  await look(page, "long-feed");

  // What others write meanwhile, and a window of another width, move nothing.
  await wheel(page, 300);
  const [{ numbers: before }] = [await box(page).evaluate(examine)];
  await post(anna.page, "Soup is ready.");
  await page.locator("[data-test=newest]").getByText("1", { exact: false }).waitFor();
  assert.deepEqual((await box(page).evaluate(examine)).numbers, before);
  await page.setViewportSize({ width: 700, height: 800 });
  await page.waitForTimeout(200);
  const after = (await box(page).evaluate(examine)).numbers;
  assert.ok(Math.abs(after.at(-1) - before.at(-1)) <= 3, `${after} instead of ${before}`);
  await page.setViewportSize({ width: 1280, height: 800 });

  // By keyboard: from one post to the next, and on from the box when the post is far away.
  await feed(page).getByRole("article").nth(8).focus();
  const place = () => page.evaluate(() => Number(document.activeElement.getAttribute("aria-posinset")));
  const from = await place();
  await page.keyboard.press("PageDown");
  assert.equal(await place(), from + 1);
  await page.keyboard.press("PageUp");
  await page.keyboard.press("PageUp");
  assert.equal(await place(), from - 1);
  const onBox = () => page.waitForFunction(() => document.activeElement?.matches(".timeline-box"));
  await box(page).evaluate((one) => { one.scrollTop = -1; });
  await onBox();
  await box(page).evaluate((one) => { one.scrollTop = -3000; });
  await page.locator("[data-test=newest]").waitFor();
  while (await page.locator("[data-test=newest]").isVisible()) {
    await page.locator("[data-test=newest]").click();
    await page.waitForTimeout(100);
  }
  await postWith(page, "Soup is ready.").waitFor();
  await onBox();
  scene.assertClean();
});
