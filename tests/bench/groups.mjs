// Joining, posting, loading and removing in Chromium, in communities of any size on a real relay: the release build in real
// browsers, the crowd around them by `ume-groups-bench come`. Each action is timed from the tap to the sign that it is done.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import {
  closePeople, composer, join, memberLine, openInvite, openMember, post, postWith, share, startCommunity, waitUntilSent,
} from "../e2e/harness/app.mjs";
import { Person } from "../e2e/harness/person.mjs";
import { Relay } from "../e2e/harness/relay.mjs";
import { words } from "../e2e/harness/words.mjs";
import { figures } from "./figures.mjs";
import { tabs } from "./tab.mjs";

const SIZES = (process.env.UME_GROUP_SIZES ?? "10,100,1000").split(",").map(Number);
const NEWCOMERS = 3;
const POSTS = 5;
const LOADS = 3;
/** The longest that anything may take among a thousand. */
const PATIENCE_MS = 120_000;
/** What follows from an action is over when the line was silent for so long: members ask for news every 30 s. */
const SILENT_MS = 3_000;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const rows = [];

async function silence({ network }) {
  for (let before = -1; before !== network.sent + network.got;) {
    before = network.sent + network.got;
    await pause(SILENT_MS);
  }
}

async function cost(person) {
  return { ...(await tabs(person.profile)), sent: person.network.sent, got: person.network.got };
}

/** Does something; how long until it is done, and what it cost a person's browser with all that follows. */
async function measured(person, act) {
  const before = await cost(person);
  const start = performance.now();
  await act();
  const ms = performance.now() - start;
  await silence(person);
  return { ms, ...since(await cost(person), before) };
}

function since(now, before) {
  return { cpu: now.ms - before.ms, memory: now.bytes, sent: now.sent - before.sent, got: now.got - before.got };
}

function add(what, size, who, costs) {
  const of = (key, unit = 1) => figures(costs.map((one) => one[key] / unit));
  const row = {
    what, size, who, ms: costs[0].ms === undefined ? undefined : of("ms"), cpu: of("cpu"), sent: of("sent", 1e3), got: of("got", 1e3),
    memory: of("memory", 1e6),
  };
  rows.push(row);
  const ms = row.ms ? `${row.ms.median} (${row.ms.lowest} to ${row.ms.highest})` : "-";
  console.log(`| ${what} | ${size} | ${who} | ${ms} | ${row.cpu.median} | ${row.sent.median} | ${row.got.median} | ${row.memory.median} |`);
}

/** Lets visitors come in by a link until there are so many; real engines in another process, one after the other. */
async function crowd(link, count) {
  if (count <= 0) return;
  const start = Date.now();
  const visitors = spawn(process.env.UME_GROUPS, ["come", link, String(count)], { stdio: ["ignore", "inherit", "inherit"] });
  const [code] = await once(visitors, "exit");
  if (code !== 0) throw new Error(`the visitors ended with ${code}`);
  console.log(`bench: ${count} visitors came in ${Math.round((Date.now() - start) / 1_000)} s`);
}

async function newcomer(founder, link, number, newest) {
  const person = await Person.meet("newcomer");
  person.context.setDefaultTimeout(PATIENCE_MS);
  try {
    const card = await measured(person, () => openInvite(person.page, link));
    const before = await cost(founder);
    const joining = await measured(person, async () => {
      await join(person.page, `Newcomer ${number}`);
      await postWith(person.page, newest).waitFor();
    });
    await silence(founder);
    return { card, joining, there: since(await cost(founder), before) };
  } finally {
    await person.leave();
  }
}

async function remove(page, name) {
  const sheet = await openMember(page, name);
  await sheet.getByRole("button", { name: words.people.remove, exact: true }).click();
  const go = sheet.getByRole("button", { name: words.people.remove_go.replace("{{ name }}", name), exact: true });
  return async () => {
    await go.click();
    await sheet.waitFor({ state: "hidden" });
    await memberLine(page, name).waitFor({ state: "detached" });
  };
}

const relay = await Relay.start();
const founder = await Person.meet("founder");
founder.context.setDefaultTimeout(PATIENCE_MS);
await founder.page.goto(relay.origin);
await startCommunity(founder.page, "Orchard");
const link = await share(founder.page, { expires: words.share.never, uses: words.share.any, history: words.share.everything });

console.log("| what | among | who | ms until it shows | ms of the processor | KB sent | KB got | MB of the tab |");
console.log("|---|---|---|---|---|---|---|---|");
let size = 1;
let number = 0;
for (const goal of SIZES) {
  await crowd(link, goal - NEWCOMERS - size);
  size = goal - NEWCOMERS;
  await silence(founder);
  const newest = `The newest post among ${goal}.`;
  await post(founder.page, newest);
  await waitUntilSent(founder.page, newest, PATIENCE_MS);
  await silence(founder);

  const [cards, joins, there] = [[], [], []];
  for (let round = 0; round < NEWCOMERS; round += 1) {
    number += 1;
    const one = await newcomer(founder, link, number, newest);
    cards.push(one.card);
    joins.push(one.joining);
    there.push(one.there);
    size += 1;
  }
  add("card", goal, "who comes", cards);
  add("join", goal, "who comes", joins);
  add("join", goal, "the founder's browser", there);

  const posts = [];
  for (let round = 0; round < POSTS; round += 1) {
    const text = `A post of the usual length, number ${round} among ${goal}.`;
    posts.push(await measured(founder, async () => {
      await post(founder.page, text);
      await waitUntilSent(founder.page, text, PATIENCE_MS);
    }));
  }
  add("post", goal, "who posts", posts);

  const loads = [];
  for (let round = 0; round < LOADS; round += 1) {
    const newestNow = `A post of the usual length, number ${POSTS - 1} among ${goal}.`;
    loads.push(await measured(founder, async () => {
      await founder.page.reload({ waitUntil: "commit" });
      await composer(founder.page).waitFor();
      await postWith(founder.page, newestNow).waitFor();
    }));
  }
  add("load", goal, "the founder's browser", loads);

  const removals = [];
  for (let round = 0; round < NEWCOMERS; round += 1) {
    const act = await remove(founder.page, `Newcomer ${number - round}`);
    await silence(founder);
    removals.push(await measured(founder, act));
    await closePeople(founder.page);
    size -= 1;
  }
  add("remove", goal, "who removes", removals);
}

const report = {
  at: new Date().toISOString(),
  commit: execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" }).trim(),
  machine: { processor: cpus()[0]?.model, cores: cpus().length, node: process.version },
  browser: founder.context.browser()?.version(),
  rows,
};
await founder.leave();
await relay.stop();
const path = `bench-results/groups-${report.at.replaceAll(":", "-")}.json`;
await mkdir("bench-results", { recursive: true });
await writeFile(path, `${JSON.stringify(report, null, 2)}\n`);
console.log(`\n  written to ${path}`);
process.exit(0);
