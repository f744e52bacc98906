// Writes a .br twin beside every file worth compressing and proves that every WASM module compiles.
// Prints {"<path>": {"raw": bytes, "br": bytes as sent}} for the whole folder.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

const root = process.argv[2];
const compressible = /\.(html|js|css|wasm|json|webmanifest|svg|txt)$/;
const brotli = promisify(brotliCompress);

const entries = await readdir(root, { recursive: true, withFileTypes: true });
const paths = entries
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  .sort();

const sizes = await Promise.all(paths.map(async (path) => {
  const content = await readFile(path);
  if (path.endsWith(".wasm")) await WebAssembly.compile(content);
  let sent = content.length;
  if (compressible.test(path)) {
    const packed = await brotli(content, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 11,
        [constants.BROTLI_PARAM_LGWIN]: 24,
        [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
      },
    });
    if (packed.length < content.length) {
      await writeFile(`${path}.br`, packed);
      sent = packed.length;
    }
  }
  return [relative(root, path), { raw: content.length, br: sent }];
}));
console.log(JSON.stringify(Object.fromEntries(sizes)));
