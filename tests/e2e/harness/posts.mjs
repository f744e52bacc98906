// What people do with single posts, by what they see and hear.
import { postWith } from "./app.mjs";
import { like, words } from "./words.mjs";

/** The button of a post's menu. */
export const moreButton = (page, text) => postWith(page, text).getByRole("button", { name: like(words.post.more) });

export async function openMenu(page, text) {
  await moreButton(page, text).click();
  const menu = page.getByRole("group", { name: words.post.menu });
  await menu.waitFor();
  return menu;
}

/** Scrolls up until a post is drawn: of a long feed only what is near the view is. */
export async function scrollUpTo(page, text) {
  const box = page.getByRole("region", { name: words.feed.posts, exact: true });
  while ((await postWith(page, text).count()) === 0) {
    await box.evaluate((one) => { one.scrollTop -= one.clientHeight; });
    await page.waitForTimeout(50);
  }
}

/** Chooses something in the menu of a post. */
export async function choose(page, text, entry) {
  const menu = await openMenu(page, text);
  await menu.getByRole("button", { name: entry, exact: true }).click();
  await menu.waitFor({ state: "hidden" });
}

/** What the menu of a post offers. */
export async function offers(page, text) {
  const menu = await openMenu(page, text);
  const entries = await menu.getByRole("button").allInnerTexts();
  await page.keyboard.press("Escape");
  await menu.waitFor({ state: "hidden" });
  return entries.map((entry) => entry.trim());
}

export const editor = (page) => page.getByLabel(words.post.edit_label);

/** Gives a post another text. */
export async function edit(page, text, next) {
  await choose(page, text, words.post.edit);
  await editor(page).fill(next);
  await page.getByRole("button", { name: words.post.save, exact: true }).click();
  await postWith(page, next).waitFor();
}

/** Takes a post back, after the question. */
export async function takeBack(page, text) {
  await choose(page, text, words.post.take_back);
  const sheet = page.getByRole("dialog", { name: words.post.take_back_title });
  await sheet.getByText(words.post.take_back_text).waitFor();
  await sheet.getByRole("button", { name: words.post.take_back_go, exact: true }).click();
  await sheet.waitFor({ state: "hidden" });
}

/** In the sheet that is open: chooses somebody and does it. */
export async function handTo(page, name, deed) {
  const sheet = page.locator("[data-test=hand-sheet]");
  await sheet.getByRole("combobox").selectOption({ label: name });
  await sheet.getByRole("button", { name: deed.replace("{{ name }}", name), exact: true }).click();
  await sheet.waitFor({ state: "hidden" });
}

/** Opens the owners of a post; who they are, in order. */
export async function owners(page, text) {
  await choose(page, text, words.post.owners);
  const sheet = page.getByRole("dialog", { name: words.post.owners_title });
  await sheet.locator("[data-test=owners]").waitFor();
  return sheet;
}

export const close = (sheet) => sheet.getByRole("button", { name: words.app.close }).click();

/** The line about what was just done. */
export const lastWord = (page) => page.locator("[data-test=word]");
