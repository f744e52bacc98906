// A post is taken back: its text is gone everywhere, for good.
import assert from "node:assert/strict";
import { test } from "node:test";
import { post, postWith } from "./harness/app.mjs";
import { choose, edit, offers, takeBack } from "./harness/posts.mjs";
import { look } from "./harness/screens.mjs";
import { three } from "./harness/street.mjs";
import { like, words } from "./harness/words.mjs";

test("its author and an owner of the community take a post back, with all versions", async (t) => {
  const { scene, anna, bert, carla } = await three(t);
  await post(bert.page, "I said too much.");
  await edit(bert.page, "I said too much.", "I said far too much.");
  await post(bert.page, "And this is rude.");
  for (const text of ["I said far too much.", "And this is rude."]) await postWith(carla.page, text).waitFor();
  assert.ok(!(await offers(carla.page, "And this is rude.")).includes(words.post.take_back), "not for others");

  await choose(bert.page, "I said far too much.", words.post.take_back);
  await look(bert.page, "take-back");
  await bert.page.getByRole("button", { name: words.people.cancel, exact: true }).click();
  await postWith(bert.page, "I said far too much.").waitFor();
  await takeBack(bert.page, "I said far too much.");
  await bert.page.getByText(words.post.gone_me).waitFor();
  await carla.page.getByText(like(words.post.gone, { name: "Bert" })).waitFor();

  await postWith(anna.page, "And this is rude.").waitFor();
  await takeBack(anna.page, "And this is rude.");
  for (const { page } of [bert, carla]) await page.getByText(like(words.post.gone, { name: "Anna" })).waitFor();
  await look(carla.page, "taken-back");
  for (const { page } of [anna, bert, carla]) {
    await page.reload();
    await postWith(page, "The lantern is lit.").waitFor();
    for (const text of ["I said", "And this is rude."]) assert.equal(await page.getByText(text).count(), 0, text);
  }
  const left = await offers(bert.page, like(words.post.gone_me));
  for (const gone of [words.post.edit, words.post.history, words.post.take_back]) assert.ok(!left.includes(gone), gone);
  scene.assertClean();
});
