// Posts go to somebody else, and tell how.
import assert from "node:assert/strict";
import { test } from "node:test";
import { closePeople, openMember, post, postWith } from "./harness/app.mjs";
import { choose, close, edit, handTo, offers, owners } from "./harness/posts.mjs";
import { look } from "./harness/screens.mjs";
import { three } from "./harness/street.mjs";
import { like, words } from "./harness/words.mjs";

const ownedBy = (page, text, name) =>
  postWith(page, text).getByRole("button", { name: like(words.post.given, { name }) });

test("one post, then all posts of a person are given, and everybody sees the chain", async (t) => {
  const { scene, anna, bert, carla } = await three(t);
  await post(bert.page, "A recipe for soup.");
  await post(bert.page, "A recipe for bread.");
  for (const { page } of [anna, carla]) {
    for (const text of ["for soup.", "for bread."]) await postWith(page, text).waitFor();
  }
  assert.ok(!(await offers(carla.page, "for soup.")).includes(words.post.give), "not for others");
  await choose(bert.page, "for soup.", words.post.give);
  await bert.page.getByRole("combobox", { name: words.hand.to_whom }).selectOption({ label: "Anna" });
  await look(bert.page, "give");
  await handTo(bert.page, "Anna", words.hand.post_go);
  for (const { page } of [anna, bert, carla]) await ownedBy(page, "for soup.", "Anna").waitFor();
  await edit(anna.page, "for soup.", "A better recipe for soup.");
  await postWith(bert.page, "A better recipe for soup.").waitFor();
  assert.ok(!(await offers(bert.page, "for soup.")).includes(words.post.edit), "given is given");

  // Anna owns the community: she may give all that Bert owns, and gives the first one on.
  const sheet = await openMember(anna.page, "Bert");
  await look(anna.page, "member-gives");
  await sheet.getByRole("button", { name: words.people.give_all, exact: true }).click();
  await handTo(anna.page, "Carla", words.hand.all_go);
  await closePeople(anna.page);
  await choose(anna.page, "for soup.", words.post.give);
  await handTo(anna.page, "Carla", words.hand.post_go);
  for (const { page } of [anna, bert, carla]) {
    await ownedBy(page, "for soup.", "Carla").waitFor();
    await ownedBy(page, "for bread.", "Carla").waitFor();
  }
  const chain = await owners(bert.page, "for soup.");
  const lines = chain.locator("[data-test=owners]").getByRole("listitem");
  await lines.nth(2).waitFor();
  const texts = await lines.allInnerTexts();
  for (const [at, text] of [
    like(words.post.written, { name: "Bert" }),
    like(words.post.handed, { name: "Anna", by: "Bert" }),
    like(words.post.handed, { name: "Carla", by: "Anna" }),
  ].entries()) assert.match(texts[at], text);
  await look(bert.page, "owners");
  await close(chain);
  await edit(carla.page, "for bread.", "A recipe for rye bread.");
  await postWith(anna.page, "A recipe for rye bread.").waitFor();
  await look(anna.page, "feed-given");
  scene.assertClean();
});
