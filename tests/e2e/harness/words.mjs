// The app's own texts, so that no test repeats them: English, unless the test speaks another language.
import { readFile } from "node:fs/promises";

const read = async (language) => JSON.parse(await readFile(`locales/${language}.json`, "utf8"));

export const words = await read("en");

/** From here on, the people of this file read another language. */
export async function speak(language) {
  Object.assign(words, await read(language));
}

/** A text with its gaps filled, or left open for any content. */
export function like(text, values = {}) {
  const pieces = text.split(/\{\{\s*(\w+)\s*\}\}/);
  const escaped = pieces.map((piece, at) => {
    if (at % 2 === 0) return piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return piece in values ? String(values[piece]).replace(/[.*+?^${}()|[\]\\]/g, "\\$&") : ".*";
  });
  return new RegExp(escaped.join(""));
}
