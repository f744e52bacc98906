// A post gets another text; everybody can look at the earlier ones.
import assert from "node:assert/strict";
import { test } from "node:test";
import { post, postWith, stateOf, waitUntilSent } from "./harness/app.mjs";
import { close, edit, editor, moreButton, offers, openMenu } from "./harness/posts.mjs";
import { look } from "./harness/screens.mjs";
import { three } from "./harness/street.mjs";
import { like, words } from "./harness/words.mjs";

const noteOf = (page, text) => postWith(page, text).getByRole("button", { name: like(words.post.edited) });

test("a post is edited where it stands, and others see all its versions", async (t) => {
  const { scene, anna, bert } = await three(t);
  const { page } = anna;
  assert.ok(!(await offers(bert.page, "The lantern is lit.")).includes(words.post.edit), "others cannot edit it");

  // By keyboard alone, and with second thoughts.
  await moreButton(page, "The lantern is lit.").focus();
  await page.keyboard.press("Enter");
  const menu = page.getByRole("group", { name: words.post.menu });
  await menu.waitFor();
  await page.waitForFunction(() => document.activeElement?.closest("[data-test=post-menu]"));
  await look(page, "post-menu");
  await menu.getByRole("button", { name: words.post.edit }).focus();
  await page.keyboard.press("Enter");
  await editor(page).waitFor();
  await page.waitForFunction(() => document.activeElement?.id === "edit");
  await page.keyboard.press("End");
  await page.keyboard.type(" Come in!");
  await look(page, "post-editor");
  await page.keyboard.press("Escape");
  await editor(page).waitFor({ state: "detached" });
  await page.waitForFunction(() => document.activeElement?.getAttribute("popovertarget") === "post-menu");
  assert.equal(await noteOf(page, "The lantern is lit.").count(), 0);

  await edit(page, "The lantern is lit.", "The lantern is lit, come in.");
  await noteOf(page, "come in.").waitFor();
  await waitUntilSent(page, "come in.");
  await postWith(bert.page, "The lantern is lit, come in.").waitFor();
  await noteOf(bert.page, "come in.").click();
  const sheet = bert.page.getByRole("dialog", { name: words.post.history_title });
  const versions = sheet.locator("[data-test=versions]").getByRole("listitem");
  await versions.nth(1).waitFor();
  assert.match(await versions.nth(0).innerText(), /Anna[\s\S]*The lantern is lit, come in\./);
  assert.match(await versions.nth(1).innerText(), /Anna[\s\S]*The lantern is lit\./);
  await look(bert.page, "post-versions");
  await close(sheet);

  // Without a network it waits like a post does.
  await post(page, "Soup at seven.");
  await waitUntilSent(page, "Soup at seven.");
  await anna.goOffline();
  await edit(page, "Soup at seven.", "Soup at eight.");
  await stateOf(page, "Soup at eight.", words.feed.waiting).waitFor();
  assert.equal(await postWith(bert.page, "Soup at eight.").count(), 0);
  await anna.goOnline();
  await waitUntilSent(page, "Soup at eight.");
  await postWith(bert.page, "Soup at eight.").waitFor();
  await openMenu(page, "Soup at eight.");
  scene.assertClean();
});
