// Waiting for what no page shows.
import assert from "node:assert/strict";
import { PATIENCE_MS } from "./person.mjs";

/** Until something holds, or the test fails. */
export async function until(holds) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `in time: ${holds}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** The service workers of a browser, through its own debugging protocol: `known` has their ids by the address of their scope. */
export async function watchWorkers(page) {
  const devtools = await page.context().newCDPSession(page);
  const known = new Map();
  devtools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
    for (const { registrationId, scopeURL, isDeleted } of registrations) if (!isDeleted) known.set(scopeURL, registrationId);
  });
  await devtools.send("ServiceWorker.enable");
  return { devtools, known };
}
