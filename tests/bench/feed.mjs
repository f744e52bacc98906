// `cargo xtask bench feed`: scrolling through a long feed.
import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { scrollThrough } from "./scrolling.mjs";

const BUDGET_MS = 16.7;
const count = Number(process.env.UME_POSTS ?? 10_000);
const say = (text) => console.log(`bench: ${text}`);
const { posts, runs } = await scrollThrough(count, say);

console.log(`\n  ${posts} posts, CPU slowed 4x, budget ${BUDGET_MS} ms a frame at the 99th percentile`);
console.log("  what  px/s  way   rows  frames  median  p99  longest  late %  busy median  busy p99");
for (const { what, speed, way, drawn, frames, median, p99, longest, late, busyMedian, busyP99 } of runs) {
  const verdict = p99 <= BUDGET_MS + 0.2 ? "within" : "OVER BUDGET";
  console.log(`  ${what}  ${speed}  ${way}  ${drawn}  ${frames}  ${median}  ${p99}  ${longest}  ${late}  ${busyMedian}  ${busyP99}  ${verdict}`);
}
const report = {
  at: new Date().toISOString(),
  commit: execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" }).trim(),
  machine: { processor: cpus()[0]?.model, cores: cpus().length, node: process.version },
  posts,
  runs,
};
const path = `bench-results/feed-${report.at.replaceAll(":", "-")}.json`;
await mkdir("bench-results", { recursive: true });
await writeFile(path, `${JSON.stringify(report, null, 2)}\n`);
console.log(`\n  written to ${path}`);
process.exit(0);
