// People in Chromium who post through the app, for `ume-cover chromium`: `captures.mjs OPTIONS`, JSON. Says what it is at on
// its standard output, a word a line, and goes on when its standard input has a line.
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { composer, startCommunity } from "../../e2e/harness/app.mjs";
import { Person } from "../../e2e/harness/person.mjs";
import { ask, written } from "./ask.mjs";

const { origin, people: names, seconds, everyMs, out } = JSON.parse(process.argv[2]);
const PATIENCE_MS = 60_000;

/** Nothing is drawn any more: at fifty times the pace a page would do little else. Runs in the page. */
const blank = () => { document.body.style.display = "none"; };

/** Posts at random through the form, once in `mean` milliseconds; runs in the page. */
async function talk(field, [mean, lasts]) {
  const until = performance.now() + lasts;
  for (let number = 1; performance.now() < until; number += 1) {
    await new Promise((done) => setTimeout(done, mean * (0.5 + Math.random())));
    field.value = `Post number ${number}`;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    // The form takes the text in its own time.
    await new Promise((done) => setTimeout(done));
    field.form.requestSubmit();
  }
}

const people = [];
const lines = createInterface({ input: process.stdin });
const told = () => once(lines, "line");
try {
  for (const name of names) people.push(await Person.meet(name, { direct: true, cover: "balanced", trusting: true }));
  for (const { page } of people) page.setDefaultTimeout(PATIENCE_MS);
  // A community each: what one does must not keep the browsers of the others busy.
  for (const { name, page } of people) {
    await page.goto(origin);
    await startCommunity(page, "Lantern Street", name);
    await page.keyboard.press("Escape");
  }
  for (const { page } of people) await page.evaluate(blank);
  console.log("begun");
  await Promise.all(people.map(({ page }) => composer(page).evaluate(talk, [everyMs, seconds * 1_000])));
  const diaries = [];
  for (const { page } of people) diaries.push(...written(await page.evaluate(ask, "stop"), diaries.length));
  await writeFile(out, diaries.join(""));
  console.log("stopped");
  await told();
} catch (error) {
  for (const { name, page, faults } of people) {
    const seen = await page.locator("body").innerText({ timeout: 2_000 }).catch(() => "nothing");
    console.error(`${name} saw: ${seen.replaceAll(/\s+/g, " ").slice(0, 500)} ${faults.join(" ")}`);
  }
  console.error(error);
  process.exitCode = 1;
} finally {
  lines.close();
  await Promise.all(people.map((person) => person.leave()));
  process.exit();
}
