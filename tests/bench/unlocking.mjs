// How long a passphrase takes to open the vault, and for how long the page stands still meanwhile.
import { composer, startCommunity } from "../e2e/harness/app.mjs";
import { lock, locked, openKeys, setPassphrase, unlock } from "../e2e/harness/keys.mjs";
import { Person } from "../e2e/harness/person.mjs";
import { Relay } from "../e2e/harness/relay.mjs";
import { figures } from "./figures.mjs";

const RUNS = 7;
const PASSPHRASE = "a lantern in the rain";

/** Milliseconds from the tap to the feed, and the longest time in which the page answered nothing. */
export async function unlocks() {
  const relay = await Relay.start();
  const person = await Person.meet("keeper", { direct: true });
  const { page } = person;
  await page.goto(relay.origin);
  await startCommunity(page, "Lantern Street", "Anna");
  await openKeys(page);
  await setPassphrase(page, PASSPHRASE);
  const [times, pauses] = [[], []];
  for (let run = 0; run < RUNS; run += 1) {
    await openKeys(page);
    await lock(page);
    await locked(page).waitFor();
    await page.evaluate(() => {
      globalThis.pause = 0;
      let last = performance.now();
      const turn = () => {
        const now = performance.now();
        globalThis.pause = Math.max(globalThis.pause, now - last);
        last = now;
        globalThis.turning = setTimeout(turn, 0);
      };
      turn();
    });
    const began = Date.now();
    await unlock(page, PASSPHRASE);
    await composer(page).waitFor();
    times.push(Date.now() - began);
    pauses.push(await page.evaluate(() => { clearTimeout(globalThis.turning); return globalThis.pause; }));
  }
  await person.leave();
  await relay.stop();
  return { time: figures(times), pause: figures(pauses) };
}
