// Chromium as people run it, by its debugging protocol alone: other drivers tell it that each page is in front, and switch off
// what slows down pages that are not.
import { spawn } from "node:child_process";
import { once } from "node:events";

const EXECUTABLE = process.env.UME_CHROMIUM ?? "/usr/bin/chromium";
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--remote-debugging-pipe",
];

export class Chromium {
  constructor(profile) {
    this.process = spawn(EXECUTABLE, [...ARGUMENTS, `--user-data-dir=${profile}`, "about:blank"], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    });
    [, , , this.to, this.from] = this.process.stdio;
    this.waiting = new Map();
    this.last = 0;
    let rest = "";
    this.from.setEncoding("utf8");
    this.from.on("data", (text) => {
      const messages = (rest + text).split("\0");
      rest = messages.pop();
      messages.forEach((message) => this.hear(JSON.parse(message)));
    });
  }

  hear({ id, result, error }) {
    const waits = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) waits?.failed(new Error(error.message));
    else waits?.done(result);
  }

  call(method, params = {}, sessionId = undefined) {
    const id = (this.last += 1);
    const answer = new Promise((done, failed) => this.waiting.set(id, { done, failed }));
    this.to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return answer;
  }

  /** A tab in front of all others. */
  async open(url) {
    const { targetId } = await this.call("Target.createTarget", { url });
    const { sessionId } = await this.call("Target.attachToTarget", { targetId, flatten: true });
    return new Tab(this, targetId, sessionId);
  }

  async close() {
    const ended = once(this.process, "exit");
    await this.call("Browser.close").catch(() => {});
    await ended;
  }
}

class Tab {
  constructor(chromium, targetId, sessionId) {
    Object.assign(this, { chromium, targetId, sessionId });
  }

  /** What a function gives in the page. */
  async run(inPage, ...all) {
    const expression = `(${inPage})(...${JSON.stringify(all)})`;
    const how = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.chromium.call("Runtime.evaluate", how, this.sessionId);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** `frozen` or `active`, as the browser does by itself with pages that nobody has looked at for long. */
  live(state) {
    return this.chromium.call("Page.setWebLifecycleState", { state }, this.sessionId);
  }

  show() {
    return this.chromium.call("Target.activateTarget", { targetId: this.targetId });
  }
}
