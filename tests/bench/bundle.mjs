// Bytes as they are sent: what xtask wrote down when it compressed them.
import { figures } from "./figures.mjs";

/** Files that the first screen does not wait for (the same list as in xtask/src/app/budget.rs). */
const LATER = ["engine", "line-worker", "service", "sw.js", "asset-manifest", "icons/", "keys-", "bell-", "push.js", "shots/", "emoji/", "split_later", "words/"];
/** What the service worker is made of. */
const SERVICE = ["service", "sw.js", "push.js", "asset-manifest"];

export function bundle(sizes) {
  const sum = (entries) => figures([entries.reduce((total, [, size]) => total + size.br, 0)]);
  const all = Object.entries(sizes);
  // One language is fetched; the largest counts.
  const words = all.filter(([name]) => name.startsWith("words/")).sort(([, one], [, other]) => other.br - one.br);
  const first = all.filter(([name]) => !LATER.some((start) => name.startsWith(start)));
  return {
    firstVisit: sum([...first, ...words.slice(0, 1)]),
    everything: sum(all),
    service: sum(all.filter(([name]) => SERVICE.some((start) => name.startsWith(start)))),
  };
}
