// Searches the memory of the engine's worker and the heap of the page for what must not be there.
import { searchBytes, shapes } from "./canary.mjs";

/** In the worker before the engine: keeps hold of the engine's memory, and of the vault key when it is first wrapped. */
export const REMEMBER_MEMORY = `{
  const keep = (result) => {
    self.umeMemory = (result.instance ?? result).exports.memory;
    return result;
  };
  for (const way of ["instantiate", "instantiateStreaming"]) {
    const real = WebAssembly[way];
    WebAssembly[way] = (...given) => real.apply(WebAssembly, given).then(keep);
  }
  const encrypt = SubtleCrypto.prototype.encrypt;
  SubtleCrypto.prototype.encrypt = function (parameters, key, plain) {
    self.umeVaultKey ??= btoa(String.fromCharCode(...plain));
    return encrypt.call(this, parameters, key, plain);
  };
}`;

/** Which of `secrets` stand in the memory of a worker that remembers it. */
export async function memoryHolds(worker, secrets) {
  const wanted = Object.entries(secrets).map(([name, secret]) => [name, shapes(secret).map((shape) => shape.toString("base64"))]);
  return worker.evaluate((wanted) => {
    const memory = new Uint8Array(self.umeMemory.buffer);
    const holds = (shape) => {
      for (let at = memory.indexOf(shape[0]); at >= 0; at = memory.indexOf(shape[0], at + 1)) {
        if (shape.every((byte, offset) => memory[at + offset] === byte)) return true;
      }
      return false;
    };
    const bytes = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    return wanted.filter(([, list]) => list.map(bytes).some(holds)).map(([name]) => name);
  }, wanted);
}

/** Which of `secrets` stand in the page's heap, as the browser's debugger dumps it. */
export async function snapshotHolds(page, secrets) {
  const session = await page.context().newCDPSession(page);
  const chunks = [];
  session.on("HeapProfiler.addHeapSnapshotChunk", ({ chunk }) => chunks.push(chunk));
  await session.send("HeapProfiler.collectGarbage");
  await session.send("HeapProfiler.takeHeapSnapshot", { captureNumericValue: false });
  await session.detach();
  return searchBytes(Buffer.from(chunks.join("")), secrets);
}
