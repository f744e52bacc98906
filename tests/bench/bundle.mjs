// Bytes as they are sent: what xtask wrote down when it compressed them.
import { figures } from "./figures.mjs";

/** Files that the first screen does not wait for (the same list as in xtask/src/app/budget.rs). */
const LATER = ["engine", "service", "sw.js", "asset-manifest", "icons/"];

export function bundle(sizes) {
  const sum = (entries) => figures([entries.reduce((total, [, size]) => total + size.br, 0)]);
  const all = Object.entries(sizes);
  return {
    firstVisit: sum(all.filter(([name]) => !LATER.some((start) => name.startsWith(start)))),
    everything: sum(all),
  };
}
