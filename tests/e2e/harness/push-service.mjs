// A push service as a browser's maker runs it (RFC 8030), on this machine: it takes what a relay sends, and opens it as the browser
// would (RFC 8291), by Node's own cryptography.
import { execFileSync } from "node:child_process";
import { createDecipheriv, createECDH, hkdfSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class PushService {
  static async start() {
    const service = new PushService();
    service.folder = await mkdtemp(join(tmpdir(), "ume-push-"));
    /** The certificate by which the relay knows it. */
    service.roots = join(service.folder, "cert.pem");
    const key = join(service.folder, "key.pem");
    execFileSync("openssl", [
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
      "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", service.roots,
    ], { stdio: "ignore" });
    /** Requests, each with its head and its opened body. */
    service.got = [];
    service.browser = createECDH("prime256v1");
    service.browser.generateKeys();
    service.auth = randomBytes(16);
    service.server = createServer({ key: await readFile(key), cert: await readFile(service.roots) }, (request, response) => service.take(request, response));
    service.server.listen(0);
    await once(service.server, "listening");
    service.host = `localhost:${service.server.address().port}`;
    return service;
  }

  /** What a browser would give a page, as `vendor` takes it. */
  get subscription() {
    const text = (bytes) => bytes.toString("base64");
    return { endpoint: `https://${this.host}/wake/1`, p256dh: text(this.browser.getPublicKey()), auth: text(this.auth) };
  }

  async take(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    this.got.push({ head: request.headers, path: request.url, bytes: body.length, text: this.open(body) });
    response.writeHead(201, { location: "/m/1" }).end();
  }

  /** RFC 8291, section 3.4, and RFC 8188 with one record. */
  open(body) {
    const [salt, length] = [body.subarray(0, 16), body[20]];
    const theirs = body.subarray(21, 21 + length);
    const sealed = body.subarray(21 + length);
    const derive = (secret, salt, info, bytes) => Buffer.from(hkdfSync("sha256", secret, salt, info, bytes));
    const info = Buffer.concat([Buffer.from("WebPush: info\0"), this.browser.getPublicKey(), theirs]);
    const secret = derive(this.browser.computeSecret(theirs), this.auth, info, 32);
    const key = derive(secret, salt, "Content-Encoding: aes128gcm\0", 16);
    const nonce = derive(secret, salt, "Content-Encoding: nonce\0", 12);
    const cipher = createDecipheriv("aes-128-gcm", key, nonce);
    cipher.setAuthTag(sealed.subarray(-16));
    const plain = Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
    return plain.subarray(0, plain.lastIndexOf(2)).toString();
  }

  async stop() {
    this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** In a page, before the app: the browser's subscription is one of the service above. Chromium's own needs its maker's. */
export function vendor({ endpoint, p256dh, auth }) {
  const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)).buffer;
  let key = null;
  const subscription = {
    endpoint,
    getKey: (name) => bytes(name === "auth" ? auth : p256dh),
    options: { get applicationServerKey() { return key; } },
    unsubscribe: async () => { key = null; return true; },
  };
  PushManager.prototype.getSubscription = async () => (key ? subscription : null);
  PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
    if (!userVisibleOnly || applicationServerKey.length !== 65) throw new DOMException("no", "InvalidAccessError");
    key = applicationServerKey.slice().buffer;
    return subscription;
  };
}
