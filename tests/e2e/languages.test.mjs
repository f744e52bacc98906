// Languages: one is fetched, another on demand; what is written from right to left; nothing that no language says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { composer, firstScreen, join, openInvite, openMember, openPeople, serviceWorkerReady, share, startCommunity } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";
import { wide } from "./harness/screens.mjs";
import { go, walk } from "./harness/walk.mjs";
import { speak, words } from "./harness/words.mjs";

const TABLES = /\/words\/([a-z]+)-[0-9a-f]{16}\.txt$/;

/** The languages that a page fetched itself. */
function fetched(page) {
  const found = [];
  page.on("request", (request) => {
    const [, language] = TABLES.exec(new URL(request.url()).pathname) ?? [];
    if (language && !request.serviceWorker()) found.push(language);
  });
  return found;
}

const root = (page, name) => page.locator("html").getAttribute(name);

test("the browser's language comes alone; another one on demand, and stays", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna", { locale: "de-AT" });
  const { page } = anna;
  const languages = fetched(page);
  await speak("de");
  await page.goto(relay.origin);
  await firstScreen(page).waitFor();
  assert.deepEqual(languages, ["de"], "one language until the first screen");
  assert.equal(await root(page, "lang"), "de");
  await startCommunity(page, "Laternengasse", "Anna");
  const link = await share(page);
  await go(page, "settings-open");
  await page.locator("[data-test=language]").selectOption("ar");
  await speak("ar");
  await page.getByRole("heading", { level: 1, name: words.settings.title }).waitFor();
  assert.deepEqual([await root(page, "lang"), await root(page, "dir")], ["ar", "rtl"]);
  await page.reload();
  await composer(page).waitFor();
  assert.equal(await root(page, "dir"), "rtl", "the choice outlives the page");

  // Plurals as Arabic has them: one, two, few.
  const facts = page.locator("main .head-facts");
  await facts.getByText(words.feed.members_one).waitFor();
  for (const [name, form] of [["Bert", "members_two"], ["Cleo", "members_few"]]) {
    const other = await scene.person(name, { locale: "ar" });
    await openInvite(other.page, link);
    await join(other.page, name);
    const text = words.feed[form].replace("{{ count }}", await page.evaluate(() => (3).toLocaleString("ar")));
    await facts.getByText(text).waitFor();
  }

  // Names of another direction turn nothing around.
  await openPeople(page);
  await openMember(page, "Bert");
  const remove = page.getByRole("dialog").getByRole("button", { name: words.people.remove, exact: true });
  await remove.click();
  const said = await page.getByRole("dialog").getByText("Bert").last().textContent();
  assert.match(said, /\u2068Bert\u2069/, "a name is set off");
  scene.assertClean();
});

test("where a language cannot be had there is English", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna", { locale: "es-MX" });
  await speak("en");
  await anna.page.route(/\/words\/es-/, (route) => route.abort());
  await anna.page.goto(relay.origin);
  await firstScreen(anna.page).waitFor();
  assert.equal(await root(anna.page, "lang"), "en");
  // And nothing changes where one cannot be fetched later.
  await serviceWorkerReady(anna.page);
  await anna.page.route(/\/words\/de-/, (route) => route.abort());
  await anna.page.evaluate(async () => {
    for (const name of await caches.keys()) await caches.delete(name);
  });
  await relay.kill();
  await go(anna.page, "settings-open");
  await anna.page.locator("[data-test=language]").selectOption("de");
  await anna.page.getByText(words.settings.language_failed).waitFor();
  assert.equal(await root(anna.page, "lang"), "en");
  await relay.run();
  scene.assertClean();
});

/** Longer than any language, with accents on everything, and marked where it begins and ends. */
function stretch(text) {
  const accents = { a: "á", e: "ê", i: "ï", o: "ö", u: "ů", n: "ñ", c: "ç", s: "š", A: "Å", E: "Ë", O: "Ø", T: "Ť" };
  const longer = text.replaceAll(/[a-zA-Z]/g, (letter) => accents[letter] ?? letter).replaceAll(/([áêïöů])/g, "$1$1");
  return `⟦${longer}⟧`;
}

/** A table of texts, each form of each stretched. */
const stretched = (table) => table.split("\n").map((row) => row.split("|").map((form, at) => (at === 0 ? stretch(form) : form[0] + stretch(form.slice(1)))).join("|")).join("\n");

/** In the page: what is shown, or read out, that no language says. What people wrote and what browsers write is their own. */
function unsaid(known) {
  const ours = "bdi, time, pre, code, [data-test=language] option, input, textarea, .post-text, .found-text, [data-test=passed]";
  const shown = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const dated = /^\p{L}+, \d+ \p{L}+ \d{4}/u;
  const found = [];
  const check = (text, element) => {
    if (!/\p{L}/u.test(text) || /⟦.*⟧/s.test(text) || known.includes(text.trim()) || dated.test(text)) return;
    if (element.closest("#fail, noscript, dd, .share-bytes")) return;
    found.push(`${text.trim()} in ${element.outerHTML.slice(0, 120)}`);
  };
  while (shown.nextNode()) {
    const element = shown.currentNode.parentElement;
    if (!element.closest(ours)) check(shown.currentNode.data, element);
  }
  for (const element of document.querySelectorAll("[aria-label], [title], [alt], [placeholder]")) {
    for (const name of ["aria-label", "title", "alt", "placeholder"]) check(element.getAttribute(name) ?? "", element);
  }
  return found;
}

test("a language that is longer than all others says everything, and fits", { timeout: 300_000 }, async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  await speak("en");
  const people = [await scene.person("anna", { width: 360, height: 780 }), await scene.person("bert", { width: 360, height: 780 })];
  // Only the texts are others: what tests look for is stretched the same way.
  const all = (section) => Object.fromEntries(Object.entries(section).map(([key, text]) => [key, typeof text === "string" ? stretchSource(text) : all(text)]));
  Object.assign(words, all(words));
  for (const { context } of people) {
    await context.route(TABLES, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: stretched(await response.text()) });
    });
    // The copy for use without a network would bring the real ones.
    await context.addInitScript(() => { delete Navigator.prototype.serviceWorker; });
  }
  const known = ["ume", "Lantern Street", "Anna", "Bert", "https://…/j#1.…"];
  const [anna, bert] = people;
  const found = [];
  await walk({ anna, bert, relay }, async (page, name) => {
    const faults = [...(await page.evaluate(unsaid, known)), ...(await wide(page))];
    found.push(...faults.map((fault) => `${name}: ${fault}`));
  });
  assert.deepEqual(found, [], "what no language says, or sticks out");
  scene.assertClean();
});

/** The same for a text as the sources have it: gaps stay. */
function stretchSource(text) {
  const pieces = text.split(/(\{\{.*?\}\})/);
  const longer = pieces.map((piece) => (piece.startsWith("{{") ? piece : stretch(piece).slice(1, -1)));
  return `⟦${longer.join("")}⟧`;
}
