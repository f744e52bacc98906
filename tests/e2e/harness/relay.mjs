// A real relay process with a data folder of its own, serving the real release build of the app.
import { execFile, spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const BINARY = process.env.UME_RELAY ?? "target/release/ume-relay";
const APP = process.env.UME_DIST ?? "dist";
const START_MS = 10_000;

export class Relay {
  /** Starts a relay on a free port, with more arguments if they are given. */
  static async start(more = []) {
    const relay = new Relay();
    relay.more = more;
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
      ["run", "--listen", this.listen, "--data", this.data, "--app", this.app, ...this.more],
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

  /** What an operator's command prints. */
  async command(...args) {
    const { stdout } = await promisify(execFile)(BINARY, args);
    return stdout;
  }

  /** A new access key, as the operator hands it out, with more arguments if they are given. */
  async accessKey(name, ...terms) {
    const printed = await this.command("access-key", "issue", name, ...terms, "--data", this.data);
    const [text] = /ume-access-[a-z2-7]+/.exec(printed) ?? [];
    return text;
  }

  /** An access key is taken back. */
  async revoke(name) {
    await this.command("access-key", "revoke", name, "--data", this.data);
  }

  /** Copies the running relay to a new place, which is given back. */
  async backUp() {
    const backup = join(await mkdtemp(join(tmpdir(), "ume-backup-")), "copy");
    await this.command("backup", "--data", this.data, "--to", backup);
    return backup;
  }

  /** Ends the relay as a power cut would, and starts it in another place from a backup instead. */
  async restore(backup) {
    await this.kill();
    await rm(this.data, { recursive: true, force: true });
    this.data = join(await mkdtemp(join(tmpdir(), "ume-relay-")), "data");
    await this.command("restore", "--from", backup, "--data", this.data);
    await this.run();
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
