// Measures the budgets of the product on the release build, prints them and writes them down as JSON.
import { execFileSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { firstVisits, laterVisits } from "./visits.mjs";
import { joinWithHistory } from "./joining.mjs";
import { postToOther } from "./posting.mjs";
import { bundle } from "./bundle.mjs";
import { unlocks } from "./unlocking.mjs";

const HISTORY = 1_000;

const say = (text) => console.log(`bench: ${text}`);
const rows = [];

function add(what, budget, unit, measured) {
  rows.push({ what, budget, unit, ...measured });
  say(`${what}: ${measured.median} ${unit}`);
}

const sizes = bundle(JSON.parse(await readFile(process.env.UME_SIZES ?? "target/xtask/sizes.json", "utf8")));
add("First visit: bytes until the first screen, brotli", 300_000, "bytes", sizes.firstVisit);
add("Everything, engine included, brotli", 900_000, "bytes", sizes.everything);
add("Service worker, brotli", 256_000, "bytes", sizes.service);
add("First visit to first usable screen, CPU slowed 4x", 1_500, "ms", await firstVisits());
add("Later visit (service worker), CPU slowed 4x", 500, "ms", await laterVisits());
const joining = await joinWithHistory(HISTORY, say);
add("Invite opened to its card, in a new browser", 1_000, "ms", joining.card);
add(`Join to newest posts, ${HISTORY} posts, nobody else online`, 3_000, "ms", joining.posts);
const unlocking = await unlocks();
add("Unlock with passphrase, tap to feed", 1_000, "ms", unlocking.time);
add("Unlock with passphrase, longest pause of the page", 50, "ms", unlocking.pause);
add("Post to shown in the other browser", 50, "ms", await postToOther());

const width = Math.max(...rows.map((row) => row.what.length));
console.log(`\n  ${"what".padEnd(width)} ${"budget".padStart(10)} ${"measured".padStart(10)}  (median; lowest to highest of n)`);
for (const { what, budget, unit, median, lowest, highest, runs } of rows) {
  const verdict = median <= budget ? "within" : "OVER BUDGET";
  const spread = runs > 1 ? `  (${lowest} to ${highest} of ${runs})` : "";
  console.log(`  ${what.padEnd(width)} ${String(budget).padStart(10)} ${String(median).padStart(10)} ${unit} ${verdict}${spread}`);
}

const commit = execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" }).trim();
const report = {
  at: new Date().toISOString(),
  commit,
  machine: { processor: cpus()[0]?.model, cores: cpus().length, node: process.version },
  rows,
};
const path = `bench-results/${report.at.replaceAll(":", "-")}.json`;
await mkdir("bench-results", { recursive: true });
await writeFile(path, `${JSON.stringify(report, null, 2)}\n`);
console.log(`\n  written to ${path}`);
process.exit(0);
