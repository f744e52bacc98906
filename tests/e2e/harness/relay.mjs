// A real relay process with a data folder of its own, serving the real release build of the app.
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";

const BINARY = process.env.UME_RELAY ?? "target/release/ume-relay";
const APP = process.env.UME_DIST ?? "dist";
const START_MS = 10_000;

export class Relay {
  /** Starts a relay on a free port. */
  static async start() {
    const relay = new Relay();
    relay.data = await mkdtemp(join(tmpdir(), "ume-relay-"));
    relay.listen = "127.0.0.1:0";
    relay.app = APP;
    await relay.run();
    return relay;
  }

  /** Address of the app and of the relay: `http://127.0.0.1:PORT`. */
  get origin() {
    return `http://${this.listen}`;
  }

  /** Starts the process again on the same port and data, after a kill. */
  async run() {
    const process = spawn(
      BINARY,
      ["run", "--listen", this.listen, "--data", this.data, "--app", this.app],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.process = process;
    this.output = "";
    process.stderr.on("data", (text) => { this.output += text; });
    const address = await new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`the relay did not start:\n${this.output}`)), START_MS);
      process.once("exit", (code) => reject(new Error(`the relay ended with ${code}:\n${this.output}`)));
      process.stdout.on("data", (text) => {
        this.output += text;
        const found = /listening on http:\/\/(\S+)/.exec(this.output);
        if (found) {
          clearTimeout(late);
          resolve(found[1]);
        }
      });
    });
    this.listen = address;
  }

  /** Restarts with an app that differs from the built one in its version only. */
  async serveNewerApp() {
    const newer = join(this.data, "newer-app");
    await cp(APP, newer, { recursive: true });
    // Browsers compare the worker's script byte by byte; the version inside is the name of its cache.
    await rm(join(newer, "sw.js.br"), { force: true });
    const script = join(newer, "sw.js");
    const version = "self.UME_ASSETS.version += '-newer';";
    const text = await readFile(script, "utf8");
    await writeFile(script, text.replace("self.addEventListener", `${version}\nself.addEventListener`));
    await this.kill();
    this.app = newer;
    await this.run();
  }

  /** Ends the process as a power cut would. */
  async kill() {
    await this.end("SIGKILL");
  }

  async killAndRestart() {
    await this.kill();
    await this.run();
  }

  /** Ends the process as an operator would, and removes its data. */
  async stop() {
    await this.end("SIGTERM");
    await rm(this.data, { recursive: true, force: true });
  }

  async end(signal) {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const ended = once(this.process, "exit");
      this.process.kill(signal);
      await ended;
    }
  }
}
