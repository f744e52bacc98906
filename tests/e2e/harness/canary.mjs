// Searches what is stored for what must not be found there.
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

/** A text that occurs nowhere by chance. */
export function canary(what) {
  const letters = Array.from({ length: 12 }, () => String.fromCharCode(97 + Math.floor(Math.random() * 26)));
  return `${what} ${letters.join("")}`;
}

/** Secret and community id of an invite link (see crates/engine/src/link.rs). */
export function partsOfLink(link) {
  const bytes = Buffer.from(link.split("#1.")[1], "base64url");
  return { secret: bytes.subarray(1, 33), community: bytes.subarray(33, 65) };
}

/** Every way in which text or bytes may stand in a file. */
export function shapes(secret) {
  const bytes = Buffer.from(secret);
  const list = [bytes, Buffer.from(bytes.toString("hex")), Buffer.from(bytes.toString("hex").toUpperCase())];
  if (typeof secret === "string") list.push(Buffer.from(secret, "utf16le"), Buffer.from(encodeURIComponent(secret)));
  // In base64 the text can begin at each of three places; what surely stands there is the middle.
  for (const skip of [0, 1, 2]) {
    const whole = bytes.subarray(skip, skip + 3 * Math.floor((bytes.length - skip) / 3));
    list.push(Buffer.from(whole.toString("base64")), Buffer.from(whole.toString("base64url")));
  }
  return list;
}

/** Names of the files below `folder` that hold any of `secrets` in any shape, as `file: which`. */
export async function searchFolder(folder, secrets) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const hits = [];
  for (const entry of entries.filter((entry) => entry.isFile())) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    hits.push(...searchBytes(await readFile(path), secrets).map((which) => `${path}: ${which}`));
  }
  return hits;
}

/** Which of `secrets` (`{name: text or bytes}`) stand in `bytes`. */
export function searchBytes(bytes, secrets) {
  return Object.entries(secrets)
    .filter(([, secret]) => shapes(secret).some((shape) => bytes.includes(shape)))
    .map(([name]) => name);
}

/** Everything in IndexedDB, Cache Storage and the Storage areas of a page's origin, keys and values, as bytes. */
export async function dumpOrigin(page) {
  const parts = await page.evaluate(async () => {
    const parts = [];
    const base64 = (buffer) => {
      let text = "";
      for (const byte of new Uint8Array(buffer)) text += String.fromCharCode(byte);
      return btoa(text);
    };
    const put = (value) => {
      if (value instanceof ArrayBuffer) parts.push({ bytes: base64(value) });
      else if (ArrayBuffer.isView(value)) {
        parts.push({ bytes: base64(value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength)) });
      } else if (Array.isArray(value)) value.forEach(put);
      else if (value !== null && typeof value === "object") Object.entries(value).flat().forEach(put);
      else parts.push({ text: String(value) });
    };
    const done = (request) => new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    let records = 0;
    for (const { name } of await indexedDB.databases()) {
      put(name);
      const database = await done(indexedDB.open(name));
      for (const store of database.objectStoreNames) {
        put(store);
        const objects = database.transaction(store).objectStore(store);
        const [keys, values] = [done(objects.getAllKeys()), done(objects.getAll())];
        records += (await keys).length;
        put(await keys);
        put(await values);
      }
      database.close();
    }
    put(Object.entries(localStorage));
    put(Object.entries(sessionStorage));
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) put(request.url);
    }
    return { parts, records };
  });
  const bytes = parts.parts.map((part) => (part.bytes ? Buffer.from(part.bytes, "base64") : Buffer.from(part.text)));
  return { records: parts.records, bytes: Buffer.concat(bytes.flatMap((part) => [part, Buffer.from("\n")])) };
}
