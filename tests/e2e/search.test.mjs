// People find what was written, by themselves and by others, as it is now; by keyboard alone, and whatever somebody wrote.
import assert from "node:assert/strict";
import { test } from "node:test";
import { post, postWith } from "./harness/app.mjs";
import { choose, edit, takeBack } from "./harness/posts.mjs";
import { inspect, look } from "./harness/screens.mjs";
import { STREET, three } from "./harness/street.mjs";
import { like, words } from "./harness/words.mjs";

const FIRST = "The lantern is lit.";
const HOSTILE = 'harmless <img src=x onerror="window.pwned=1"><script>window.pwned=1</script> <b>text</b>\u202e!';
const field = (page) => page.getByRole("searchbox", { name: words.search.label });
const found = (page) => page.getByRole("list", { name: words.search.title }).getByRole("listitem");
const thread = (page) => page.getByRole("region", { name: words.threads.title, exact: true });
const marks = (page) => found(page).locator("mark").allInnerTexts();

async function open(page) {
  await page.locator("[data-test=search-open]").click();
  await field(page).waitFor();
}

/** Looks for something, until exactly these are found: each by a text in it, in order. */
async function finds(page, text, expected) {
  await field(page).fill(text);
  await page.waitForFunction(
    (expected) => {
      const rows = [...document.querySelectorAll("[data-test=found]")].map((row) => row.textContent);
      const none = document.querySelector("[data-test=search-nothing]") !== null;
      const right = rows.length === expected.length && rows.every((row, at) => row.includes(expected[at]));
      return right && (rows.length > 0 || none);
    },
    expected,
  );
}

test("posts and comments are found by what they say now", async (t) => {
  const { scene, anna, bert, carla } = await three(t);
  await post(bert.page, "Überraschung: soup at seven.");
  await post(carla.page, "Nobody needs this one.");
  for (const text of ["soup at seven", "Nobody needs"]) await postWith(anna.page, text).waitFor();
  const { page } = anna;
  await choose(bert.page, FIRST, words.threads.open);
  await bert.page.getByRole("textbox", { name: words.threads.label }).fill("It shines as far as the harbour.");
  await bert.page.getByRole("textbox", { name: words.threads.label }).press("Enter");
  await page.locator("[data-test=thread-open]").getByText("1 comment").waitFor();

  await open(page);
  await page.waitForFunction(() => document.activeElement?.id === "search-text");
  await page.getByText(words.search.about).waitFor();
  await finds(page, "uberrasch", ["Überraschung"]);
  assert.deepEqual(await marks(page), ["Überrasch"]);
  await found(page).getByText("Bert").waitFor();
  await found(page).getByText(STREET).waitFor();
  await finds(page, "lan", [FIRST]);
  // Also by who wrote it; the newest first.
  await finds(page, "bert", ["harbour", "soup at seven"]);
  await finds(page, "bert soup", ["soup at seven"]);
  await look(page, "search");
  await finds(page, "nonesuch", []);
  await page.locator("[data-test=search-said]").getByText(words.search.nothing).waitFor();
  await look(page, "search-nothing");

  // A comment leads into its thread, and the keyboard is there.
  await finds(page, "harbour", ["harbour"]);
  await found(page).getByText(FIRST).waitFor();
  await found(page).getByRole("button").click();
  await postWith(thread(page), "harbour").waitFor();
  await page.waitForFunction(() => document.activeElement?.closest("article")?.textContent.includes("harbour"));
  await page.keyboard.press("Escape");
  await thread(page).waitFor({ state: "detached" });
  // What was looked for is still there, and so is the post behind it.
  await open(page);
  assert.equal(await field(page).inputValue(), "harbour");
  await finds(page, "surprise", []);
  await finds(page, "überraschung", ["soup"]);
  await found(page).getByRole("button").click();
  await postWith(thread(page), "soup at seven").waitFor();
  await page.waitForFunction(() => document.activeElement?.id === "thread-title");
  await page.keyboard.press("Escape");
  await thread(page).waitFor({ state: "detached" });

  // Edited: by its new words only. Taken back: not at all.
  await edit(bert.page, "soup at seven", "Überraschung: pancakes at eight.");
  await takeBack(carla.page, "Nobody needs");
  await postWith(page, "pancakes").waitFor();
  await page.getByText(like(words.post.gone, { name: "Carla" })).waitFor();
  await open(page);
  await finds(page, "soup", []);
  await finds(page, "nobody", []);
  await finds(page, "pancake", ["pancakes at eight"]);

  // Narrowed down to one person, and to days.
  await field(page).fill("");
  await page.getByText(words.search.narrow).click();
  await page.getByLabel(words.search.community, { exact: true }).selectOption({ label: STREET });
  await page.getByLabel(words.search.author).selectOption({ label: "Bert" });
  await finds(page, "", ["harbour", "pancakes"]);
  await page.getByLabel(words.search.until).fill("2020-01-01");
  await finds(page, "", []);
  await page.getByLabel(words.search.until).fill("");
  await page.getByLabel(words.search.from).fill("2020-01-01");
  await finds(page, "a", ["harbour", "pancakes"]);
  await look(page, "search-narrowed");
  assert.deepEqual(await inspect(page, "search-narrowed"), []);
  await page.getByRole("button", { name: words.search.clear }).click();
  await finds(page, "lan", [FIRST]);

  // After a start it is the same, and nothing of what was looked for is left.
  await page.reload();
  await open(page);
  assert.equal(await field(page).inputValue(), "");
  await finds(page, "pancake", ["pancakes at eight"]);
  scene.assertClean();
});

test("a hostile text is found as text, by keyboard alone", async (t) => {
  const { scene, anna, bert } = await three(t);
  const { page } = anna;
  await post(bert.page, HOSTILE);
  await postWith(page, "harmless").waitFor();
  // Not while somebody types.
  await page.getByLabel(words.composer.label).focus();
  await page.keyboard.press("Control+k");
  assert.equal(await field(page).count(), 0);
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("Control+k");
  await page.waitForFunction(() => document.activeElement?.id === "search-text");
  await page.keyboard.type("onerr scr b");
  await page.locator("[data-test=found]").waitFor();
  await page.waitForFunction(() => document.querySelectorAll("[data-test=found] mark").length === 6);
  assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
  const row = found(page);
  assert.equal(await row.locator("img, script, b").count(), 0);
  assert.match(await row.innerText(), /<img src=x onerror="window\.pwned=1"><script>/);
  assert.ok(!(await row.innerText()).includes("\u202e"));
  await look(page, "search-hostile");
  for (let stop = 0; stop < 8; stop += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement?.dataset.test === "found")) break;
  }
  await page.keyboard.press("Enter");
  await postWith(thread(page), "harmless").waitFor();
  await page.waitForFunction(() => document.activeElement?.id === "thread-title");
  scene.assertClean();
});
