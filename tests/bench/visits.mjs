// From an address typed to a screen that can be used, on a slow machine.
import { firstScreen, serviceWorkerReady } from "../e2e/harness/app.mjs";
import { Person } from "../e2e/harness/person.mjs";
import { Relay } from "../e2e/harness/relay.mjs";
import { figures } from "./figures.mjs";

const RUNS = 7;
const SLOWED = 4;

export async function firstVisits() {
  return onRelay(async (relay) => {
    const times = [];
    for (let run = 0; run < RUNS; run += 1) {
      const person = await Person.meet("visitor", { direct: true });
      times.push(await visit(person, relay.origin));
      await person.leave();
    }
    return figures(times);
  });
}

export async function laterVisits() {
  return onRelay(async (relay) => {
    const person = await Person.meet("visitor", { direct: true });
    await person.page.goto(relay.origin);
    await serviceWorkerReady(person.page);
    const times = [];
    for (let run = 0; run < RUNS; run += 1) times.push(await visit(person, relay.origin));
    await person.leave();
    return figures(times);
  });
}

/** Milliseconds from the start of the navigation until the first screen can be used. */
async function visit(person, origin) {
  await person.page.goto("about:blank");
  const session = await person.context.newCDPSession(person.page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: SLOWED });
  await person.page.goto(origin, { waitUntil: "commit" });
  await firstScreen(person.page).waitFor();
  const time = await person.page.evaluate(() => performance.now());
  await session.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  await session.detach();
  return time;
}

async function onRelay(work) {
  const relay = await Relay.start();
  try {
    return await work(relay);
  } finally {
    await relay.stop();
  }
}
