// The app's own English texts, so that no test repeats them.
import { readFile } from "node:fs/promises";

export const words = JSON.parse(await readFile("locales/en.json", "utf8"));

/** A text with its gaps filled, or left open for any content. */
export function like(text, values = {}) {
  const pieces = text.split(/\{\{\s*(\w+)\s*\}\}/);
  const escaped = pieces.map((piece, at) => {
    if (at % 2 === 0) return piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return piece in values ? String(values[piece]).replace(/[.*+?^${}()|[\]\\]/g, "\\$&") : ".*";
  });
  return new RegExp(escaped.join(""));
}
