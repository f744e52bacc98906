// Scrolling through a long feed on a slow machine: how long frames take, and how many rows are in the page. Two people who are
// real engines write the posts, to a real relay; a browser reads them, with fingers as Chromium plays them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { postWith, share, startCommunity } from "../e2e/harness/app.mjs";
import { Person } from "../e2e/harness/person.mjs";
import { Relay } from "../e2e/harness/relay.mjs";
import { words } from "../e2e/harness/words.mjs";

const SLOWED = 4;
/** Pixels in a second, as somebody scrolls who looks for something, and for how long. */
const SPEEDS = [1_500, 4_000];
const SECONDS = 8;
const PATIENCE_MS = 600_000;

const box = (page) => page.getByRole("region", { name: words.feed.posts, exact: true });
const rounded = (value) => Math.round(value * 10) / 10;

async function write(link, count) {
  const writers = spawn(process.env.UME_GROUPS, ["write", link, String(count)], { stdio: ["ignore", "inherit", "inherit"] });
  const [code] = await once(writers, "exit");
  if (code !== 0) throw new Error(`the writers ended with ${code}`);
}

/** In the page: scrolls up until nothing older is left. */
async function turnAllPages(scroller) {
  const older = () => document.querySelector(".timeline-older");
  while (older()) {
    scroller.scrollTop = -scroller.scrollHeight;
    await new Promise((done) => setTimeout(done, 20));
  }
  scroller.scrollTop = 0;
}

/** In the page: notes for each frame when it began, and how long the page was busy with it. */
function watch() {
  const frames = [];
  const channel = new MessageChannel();
  let began = 0;
  channel.port1.onmessage = () => frames.push([began, performance.now() - began]);
  const frame = () => {
    began = performance.now();
    channel.port2.postMessage(0);
    globalThis.umeFrame = requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  globalThis.umeFrames = frames;
}

/** In the page: a column of plain lines over everything, for what this machine can do at all. */
function coverWithLines() {
  const box = document.createElement("div");
  box.id = "lines";
  Object.assign(box.style, { position: "fixed", inset: "0", overflow: "auto", background: "white", zIndex: "9" });
  for (let line = 0; line < 2_000; line += 1) box.append(Object.assign(document.createElement("p"), { textContent: `Line ${line}` }));
  document.body.append(box);
  box.scrollTop = box.scrollHeight;
}

function figuresOf(frames) {
  const between = frames.slice(1).map(([began], at) => began - frames[at][0]).sort((a, b) => a - b);
  const busy = frames.map(([, time]) => time).sort((a, b) => a - b);
  const at = (sorted, share) => rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]);
  return {
    frames: frames.length,
    median: at(between, 0.5), p99: at(between, 0.99), longest: at(between, 1),
    busyMedian: at(busy, 0.5), busyP99: at(busy, 0.99),
    late: rounded((100 * between.filter((time) => time > 25).length) / between.length),
  };
}

export async function scrollThrough(count, say) {
  const relay = await Relay.start();
  const reader = await Person.meet("reader", { direct: true });
  try {
    await reader.page.goto(relay.origin);
    await startCommunity(reader.page, "Long feed");
    const link = await share(reader.page, { expires: words.share.never, uses: words.share.any });
    await reader.closeBrowser();
    let start = Date.now();
    await write(link, count);
    say(`wrote ${count} posts in ${Date.now() - start} ms`);
    start = Date.now();
    await reader.openBrowser();
    const { page } = reader;
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(relay.origin);
    await postWith(page, `Post number ${count} `).waitFor();
    say(`read them in ${Date.now() - start} ms`);
    start = Date.now();
    await box(page).evaluate(turnAllPages);
    const known = await page.locator(".posts article").first().getAttribute("aria-setsize");
    say(`turned all pages in ${Date.now() - start} ms: ${known} posts are in the page`);

    const session = await page.context().newCDPSession(page);
    const place = await box(page).boundingBox();
    const [x, y] = [place.x + place.width / 2, place.y + place.height / 2];
    const runs = [];
    for (const [what, speed] of [["lines", SPEEDS[0]], ...SPEEDS.map((speed) => ["feed", speed])]) {
      if (what === "lines") await page.evaluate(coverWithLines);
      for (const way of [1, -1]) {
        await session.send("Emulation.setCPUThrottlingRate", { rate: SLOWED });
        await page.evaluate(watch);
        await session.send("Input.synthesizeScrollGesture", {
          x, y, yDistance: way * speed * SECONDS, speed, gestureSourceType: "mouse", preventFling: true,
        });
        const frames = await page.evaluate(() => { cancelAnimationFrame(globalThis.umeFrame); return globalThis.umeFrames; });
        await session.send("Emulation.setCPUThrottlingRate", { rate: 1 });
        const drawn = await page.locator(".posts > *").count();
        const one = { what, speed, way: way > 0 ? "up" : "down", drawn, ...figuresOf(frames) };
        runs.push(one);
        say(`${what}, ${speed} px/s ${one.way}: ${JSON.stringify(one)}`);
      }
      if (what === "lines") await page.evaluate(() => document.getElementById("lines").remove());
    }
    return { posts: Number(known), runs };
  } finally {
    await reader.leave();
    await relay.stop();
  }
}
