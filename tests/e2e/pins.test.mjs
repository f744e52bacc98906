// Posts on top of the feed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { post, postMany, postWith, waitUntilSent } from "./harness/app.mjs";
import { choose, close, offers, scrollUpTo } from "./harness/posts.mjs";
import { look } from "./harness/screens.mjs";
import { three } from "./harness/street.mjs";
import { like, words } from "./harness/words.mjs";

test("a post is put on top, found there from far below, and taken from the top", async (t) => {
  const { scene, anna, bert } = await three(t);
  await post(anna.page, "The key hangs behind the clock.");
  await postWith(bert.page, "behind the clock.").waitFor();
  assert.ok(!(await offers(bert.page, "behind the clock.")).includes(words.post.pin), "only whom the rules let");
  await choose(anna.page, "behind the clock.", words.post.pin);
  const top = (page, count) => page.getByRole("button", { name: like(words.pins.count_one, { count }) });
  await top(bert.page, 1).waitFor();
  await postMany(anna.page, 90);
  await waitUntilSent(anna.page, "Post number 90");
  await postWith(bert.page, "Post number 90").waitFor();
  // Read anew, it lies before the first page.
  await bert.page.reload();
  await postWith(bert.page, "Post number 90").waitFor();
  await top(bert.page, 1).click();
  const sheet = bert.page.getByRole("dialog", { name: words.pins.title });
  await sheet.getByText("The key hangs behind the clock.").waitFor();
  await look(bert.page, "pins");
  await close(sheet);
  await scrollUpTo(anna.page, "behind the clock.");
  await choose(anna.page, "behind the clock.", words.post.unpin);
  await top(bert.page, 1).waitFor({ state: "detached" });
  scene.assertClean();
});
