// One person with a browser profile of their own, which outlives every window they close.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { Network } from "./network.mjs";

const EXECUTABLE = process.env.UME_CHROMIUM ?? "/usr/bin/chromium";
const ARGUMENTS = [
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--disable-domain-reliability",
  "--no-pings",
];
export const PATIENCE_MS = 15_000;

/** In each page before the app: the choice of cover (src/platform/memory.rs), where none was made; how ume works was read. */
function choose(cover) {
  try {
    if (localStorage.getItem("cover") === null) localStorage.setItem("cover", cover);
    localStorage.setItem("introduced", "yes");
  } catch {
    // Where nothing can be stored there is nothing to choose.
  }
}

export class Person {
  /**
   * @param {string} name
   * @param {{preferences?: object, width?: number, height?: number, locale?: string, beforeWorker?: string, beforePage?: Function, direct?: boolean, cover?: string, trusting?: boolean}} [options]
   *   preferences: what stands in the profile before its first start;
   *   locale: the language that the browser prefers;
   *   beforeWorker: a script that runs in the engine's worker before the engine;
   *   beforePage: a function that runs in each page before the app;
   *   direct: no proxy on the way, for measurements;
   *   trusting: certificates are not looked at, for measurements under TLS;
   *   cover: how far the app hides when there is something to say, unless somebody chooses; `default`: as the app comes
   */
  static async meet(name, options = {}) {
    const person = new Person();
    person.name = name;
    person.options = options;
    person.profile = await mkdtemp(join(tmpdir(), `ume-${name}-`));
    person.network = await Network.start();
    /** Violations of the content security policy and of Trusted Types, and errors that nobody caught. */
    person.faults = [];
    if (options.preferences) {
      await mkdir(join(person.profile, "Default"));
      await writeFile(join(person.profile, "Default", "Preferences"), JSON.stringify(options.preferences));
    }
    await person.openBrowser();
    return person;
  }

  async openBrowser() {
    const { width = 1280, height = 800, locale = "en-GB", beforeWorker, beforePage, direct, trusting, cover = "off" } = this.options;
    this.context = await chromium.launchPersistentContext(this.profile, {
      executablePath: EXECUTABLE,
      headless: true,
      args: trusting ? [...ARGUMENTS, "--ignore-certificate-errors"] : ARGUMENTS,
      viewport: { width, height },
      colorScheme: "light",
      locale,
      permissions: ["clipboard-read", "clipboard-write"],
      proxy: direct ? undefined : { server: this.network.address, bypass: "<-loopback>" },
      serviceWorkers: beforeWorker ? "block" : "allow",
    });
    this.context.setDefaultTimeout(PATIENCE_MS);
    this.context.on("page", (page) => this.watch(page));
    await this.context.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => {
        console.error(`ume-test violation: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
      });
    });
    // At once, so that tests are about what they are about.
    if (cover !== "default") await this.context.addInitScript(choose, cover);
    if (beforePage) await this.context.addInitScript(beforePage);
    if (beforeWorker) {
      await this.context.route(/engine-worker[^/]*\.js/, async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: `${beforeWorker}\n${await response.text()}` });
      });
    }
    this.page = this.context.pages()[0] ?? (await this.context.newPage());
    this.watch(this.page);
  }

  watch(page) {
    if (page.umeWatched) return;
    page.umeWatched = true;
    page.on("console", (message) => {
      const text = message.text();
      if (/ume-test violation|Content Security Policy|TrustedHTML|TrustedScript/i.test(text)) this.faults.push(text);
    });
    page.on("pageerror", (error) => this.faults.push(`uncaught: ${error.message}`));
  }

  /** Closes the last window: the browser ends, the profile stays. */
  async closeBrowser() {
    await this.context.close();
  }

  async goOffline() {
    this.network.cut();
    await this.context.setOffline(true);
  }

  async goOnline() {
    this.network.restore();
    await this.context.setOffline(false);
  }

  /** Ends everything and forgets the profile. */
  async leave() {
    await this.context.close().catch(() => {});
    this.network.stop();
    await rm(this.profile, { recursive: true, force: true, maxRetries: 3 });
  }
}
