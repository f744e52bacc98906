// People comment on a post, in its thread, and put emoji beside it; by keyboard as well as by finger.
import assert from "node:assert/strict";
import { test } from "node:test";
import { post, postWith } from "./harness/app.mjs";
import { choose, editor, openMenu, takeBack } from "./harness/posts.mjs";
import { look } from "./harness/screens.mjs";
import { three } from "./harness/street.mjs";
import { like, words } from "./harness/words.mjs";

const FIRST = "The lantern is lit.";
const thread = (page) => page.getByRole("region", { name: words.threads.title, exact: true });
const comment = (page) => page.getByRole("textbox", { name: words.threads.label });
const feed = (page) => page.getByRole("main");
const wayIn = (page) => feed(page).locator("[data-test=thread-open]");
const chip = (where, emoji) => where.locator("[data-test=reaction]").filter({ hasText: emoji });
const picker = (page) => page.getByRole("group", { name: words.emoji.title });

async function say(page, text) {
  await comment(page).fill(text);
  await comment(page).press("Enter");
}

test("a thread is read and written by everybody, and outlasts its post", async (t) => {
  const { scene, anna, bert, carla } = await three(t);
  await choose(bert.page, FIRST, words.threads.open);
  await thread(bert.page).getByText(words.threads.empty).waitFor();
  await bert.page.waitForFunction(() => document.activeElement?.id === "comment");
  await say(bert.page, "It is beautiful.");
  await postWith(thread(bert.page), "It is beautiful.").waitFor();
  assert.equal(await feed(bert.page).getByRole("article").count(), 1, "a comment is no post");

  // Under the post: how many, and the newest.
  for (const { page } of [anna, carla]) {
    await wayIn(page).getByText("1 comment").waitFor();
    await wayIn(page).getByText("It is beautiful.").waitFor();
  }
  await wayIn(anna.page).click();
  await postWith(thread(anna.page), "It is beautiful.").waitFor();
  await say(anna.page, "Come and see it from below.");
  await wayIn(bert.page).getByText("2 comments").waitFor();
  await postWith(thread(bert.page), "from below").waitFor();

  // A comment is edited and taken back like a post.
  await postWith(thread(bert.page), "It is beautiful.").getByRole("button", { name: like(words.post.more) }).click();
  await bert.page.getByRole("group", { name: words.post.menu }).getByRole("button", { name: words.post.edit, exact: true }).click();
  await editor(bert.page).fill("It is very beautiful.");
  await bert.page.getByRole("button", { name: words.post.save, exact: true }).click();
  await postWith(thread(anna.page), "It is very beautiful.").waitFor();
  await look(anna.page, "thread");

  // On a phone it takes the page, and *back* leads out of it.
  await carla.page.setViewportSize({ width: 360, height: 740 });
  await wayIn(carla.page).click();
  await postWith(thread(carla.page), "from below").waitFor();
  assert.equal(await feed(carla.page).isVisible(), false);
  await carla.page.goBack();
  await thread(carla.page).waitFor({ state: "detached" });
  await postWith(feed(carla.page), FIRST).waitFor();
  await wayIn(carla.page).click();
  await thread(carla.page).waitFor();
  await carla.page.keyboard.press("Escape");
  await thread(carla.page).waitFor({ state: "detached" });

  // The post goes, what was said about it stays.
  await takeBack(anna.page, FIRST);
  await thread(bert.page).getByText(like(words.post.gone, { name: "Anna" })).waitFor();
  await postWith(thread(bert.page), "from below").waitFor();
  await bert.page.reload();
  await wayIn(bert.page).getByText("2 comments").waitFor();
  await wayIn(bert.page).click();
  await postWith(thread(bert.page), "It is very beautiful.").waitFor();
  assert.equal(await bert.page.getByText(FIRST).count(), 0);
  scene.assertClean();
});

test("people react with an emoji, found by its name", async (t) => {
  const { scene, anna, bert, carla } = await three(t);
  const { page } = bert;
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await postWith(page, FIRST).hover();
  await postWith(page, FIRST).getByRole("button", { name: words.reactions.add }).click();
  await picker(page).waitFor();
  await page.waitForFunction(() => document.activeElement?.id === "emoji-find");
  await page.keyboard.type("cherry blossom");
  await picker(page).getByRole("button", { name: "cherry blossom" }).waitFor();
  await look(page, "emoji");
  await page.keyboard.press("ArrowDown");
  await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "cherry blossom");
  await page.keyboard.press("Enter");
  await picker(page).waitFor({ state: "hidden" });
  const mine = chip(postWith(page, FIRST), "🌸");
  await mine.and(page.locator("[aria-pressed=true]")).waitFor();

  // Another person joins in with one tap, and leaves again.
  const hers = chip(postWith(carla.page, FIRST), "🌸");
  await hers.click();
  await chip(postWith(anna.page, FIRST), "🌸").getByText("2").waitFor();
  await look(anna.page, "reactions");
  await hers.click();
  await chip(postWith(anna.page, FIRST), "🌸").getByText("1").waitFor();

  // Another emoji of the same person takes the place of the first; the menu leads there as well.
  await (await openMenu(page, FIRST)).getByRole("button", { name: words.reactions.add }).click();
  await picker(page).waitFor();
  const { x, width } = await picker(page).boundingBox();
  assert.ok(Math.abs(x + width / 2 - page.viewportSize().width / 2) < 2, "the menu is gone, and the picker does not hang on it");
  await picker(page).getByRole("button", { name: "thumbs up", exact: true }).click();
  await chip(postWith(anna.page, FIRST), "👍").waitFor();
  assert.equal(await chip(postWith(anna.page, FIRST), "🌸").count(), 0);
  assert.ok(asked.filter((path) => path.startsWith("/emoji/")).length <= 1, "the list is fetched once at most");

  // What the picker offers first is what was used last.
  await post(page, "Soup at seven.");
  await (await openMenu(page, "Soup at seven.")).getByRole("button", { name: words.reactions.add }).click();
  await picker(page).locator("#emoji-all").getByRole("button", { name: "thumbs up", exact: true }).waitFor();
  await page.keyboard.press("Escape");
  await picker(page).waitFor({ state: "hidden" });
  await page.reload();
  await chip(postWith(page, FIRST), "👍").and(page.locator("[aria-pressed=true]")).waitFor();
  scene.assertClean();
});
