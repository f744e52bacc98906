// Somebody does not want to see a post, or a person: for themselves, with a way back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openPeople, post, postWith } from "./harness/app.mjs";
import { choose, lastWord, openMenu } from "./harness/posts.mjs";
import { look } from "./harness/screens.mjs";
import { three } from "./harness/street.mjs";
import { like, words } from "./harness/words.mjs";

test("a post and a person are hidden, undone and shown again, and nobody else notices", async (t) => {
  const { scene, anna, bert, carla } = await three(t);
  const { page } = carla;
  const folded = (text) => page.locator("[data-test=folded]").filter({ hasText: text });
  const hiddenPost = like(words.post.folded, { name: "Bert" });
  const hiddenPerson = like(words.post.folded_person, { name: "Bert" });
  await post(bert.page, "Knock knock.");
  await post(anna.page, "Who is there?");
  for (const text of ["Knock knock.", "Who is there?"]) await postWith(page, text).waitFor();

  await choose(page, "Knock knock.", words.post.hide);
  await folded(hiddenPost).waitFor();
  assert.equal(await page.getByText("Knock knock.").count(), 0);
  await look(page, "hidden-post");
  await lastWord(page).getByRole("button", { name: words.post.undo }).click();
  await postWith(page, "Knock knock.").waitFor();

  await choose(page, "Knock knock.", words.post.hide);
  await folded(hiddenPost).waitFor();
  await page.reload();
  await folded(hiddenPost).waitFor();
  await folded(hiddenPost).getByRole("button", { name: words.post.folded_show }).click();
  await postWith(page, "Knock knock.").waitFor();

  await choose(page, "Knock knock.", words.post.hide_person.replace("{{ name }}", "Bert"));
  await folded(hiddenPerson).waitFor();
  await lastWord(page).getByText(like(words.post.said_hidden_person, { name: "Bert" })).waitFor();
  await post(bert.page, "It is me again.");
  await postWith(anna.page, "It is me again.").waitFor();
  await folded(hiddenPerson).nth(1).waitFor();
  await page.reload();
  await folded(hiddenPerson).nth(1).waitFor();
  assert.equal(await page.getByText("It is me again.").count(), 0);
  await postWith(page, "Who is there?").waitFor();
  await postWith(anna.page, "Knock knock.").waitFor();

  // One look does not bring them back.
  await folded(hiddenPerson).nth(1).getByRole("button", { name: words.post.folded_show }).click();
  await postWith(page, "It is me again.").waitFor();
  assert.equal(await folded(hiddenPerson).count(), 1);
  const menu = await openMenu(page, "It is me again.");
  await menu.getByRole("button", { name: words.post.show_person.replace("{{ name }}", "Bert") }).waitFor();
  await page.keyboard.press("Escape");

  await openPeople(page);
  await page.getByText(words.hides.count_one.replace("{{ count }}", "1")).click();
  const list = page.getByRole("list", { name: words.hides.label });
  await list.getByText(words.hides.person.replace("{{ name }}", "Bert")).waitFor();
  await look(page, "hides");
  await list.getByRole("button", { name: words.hides.show }).click();
  await page.locator("[data-test=hides]").waitFor({ state: "detached" });
  await page.getByRole("button", { name: words.app.back }).click();
  await postWith(page, "Knock knock.").waitFor();
  scene.assertClean();
});
