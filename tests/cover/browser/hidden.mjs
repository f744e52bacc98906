// How the line worker keeps its slots while its page is in front, behind another tab, frozen, and back: for `ume-cover hidden`,
// `hidden.mjs OPTIONS`, JSON. Prints a line of words a phase: what it was, what the page said of itself, which connections there were,
// slots carried out, slots missed, by how many milliseconds the median was late and 99 of 100 at most, frames in the first five seconds.
import { setTimeout as wait } from "node:timers/promises";
import { startCommunity } from "../../e2e/harness/app.mjs";
import { Person } from "../../e2e/harness/person.mjs";
import { ask } from "./ask.mjs";
import { Chromium } from "./devtools.mjs";

const { origin, visible, hidden, frozen } = JSON.parse(process.argv[2]);
const START_MS = 30_000;
const FIRST_MS = 5_000;

const quantile = (numbers, part) => numbers.toSorted((a, b) => a - b)[Math.ceil(numbers.length * part) - 1] ?? NaN;

/** What passed between two moments, all times milliseconds since 1970. */
function between({ answer, origin: start }, from, to) {
  const slots = answer
    .flatMap((frames, at) => frames.map((frame) => [at + 1, ...frame]))
    .filter(([, planned, , , missed]) => planned !== null && missed !== undefined)
    .map(([line, planned, left, , missed]) => ({ line, left: start + left, late: left - planned, missed }))
    .filter(({ left }) => left >= from && left < to);
  const late = slots.map((slot) => slot.late);
  return {
    lines: [...new Set(slots.map(({ line }) => line))].join(" "),
    kept: slots.length,
    missed: slots.reduce((sum, slot) => sum + slot.missed, 0),
    late: [quantile(late, 0.5), quantile(late, 0.99)],
    first: slots.filter((slot) => slot.left < from + FIRST_MS).length,
  };
}

const person = await Person.meet("anna", { direct: true, cover: "balanced" });
let chromium;
try {
  await person.page.goto(origin);
  await startCommunity(person.page, "Lantern Street", "Anna");
  await person.closeBrowser();

  chromium = new Chromium(person.profile);
  const tab = await chromium.open(origin);
  await wait(START_MS);
  const phases = [];
  const phase = async (name, seconds, says = true) => {
    const from = Date.now();
    await wait(seconds * 1_000);
    const to = Date.now();
    phases.push({ name, from, to, state: says ? await tab.run(() => document.visibilityState) : "silent" });
  };
  await phase("in front", visible);
  const other = await chromium.open("about:blank");
  await other.show();
  await phase("behind another tab", hidden);
  await tab.live("frozen");
  await phase("frozen", frozen, false);
  await tab.live("active");
  await phase("thawed, behind", visible);
  await tab.show();
  await phase("back in front", visible);
  const told = await tab.run(ask, "tell");
  for (const { name, from, to, state } of phases) {
    const { lines, kept, missed, late, first } = between(told, from, to);
    console.log([name, state, lines || "-", kept, missed, ...late.map((ms) => ms.toFixed(2)), first].join("\t"));
  }
} finally {
  await chromium?.close();
  await person.leave();
}
process.exit();
