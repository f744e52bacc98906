// Storage that is refused, full, damaged, or beside a wrong clock: said in words, and nothing lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { composer, post, postWith, share, startCommunity, waitUntilSent } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";
import { look } from "./harness/screens.mjs";
import { like, words } from "./harness/words.mjs";

/** Chromium's own setting "block all site data". */
const NO_SITE_DATA = { profile: { default_content_setting_values: { cookies: 2 } } };
/** So long does Chromium go by what it last knew of the room that is left. */
const REMEMBERED_MS = 31_000;
const A_DAY_AHEAD = `{
  const now = Date.now.bind(Date);
  Date.now = () => now() + 24 * 3600 * 1000;
}`;

test("a window that may not store anything says so", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna", { preferences: NO_SITE_DATA });
  await anna.page.goto(relay.origin);
  await anna.page.getByText(words.failure.storage_denied_text).waitFor();
  await look(anna.page, "storage-denied");
  scene.assertClean();
});

test("a full storage says so, keeps what is there and goes on when there is room", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await settled(scene, relay);
  const session = await anna.context.newCDPSession(anna.page);
  await session.send("Storage.overrideQuotaForOrigin", { origin: relay.origin, quotaSize: 1 });
  await anna.page.waitForTimeout(REMEMBERED_MS);
  await post(anna.page, "There is room again.");
  await anna.page.getByText(words.notice.storage_full).waitFor();
  assert.equal(await composer(anna.page).inputValue(), "There is room again.", "the text is still there");
  await look(anna.page, "storage-full");

  await session.send("Storage.overrideQuotaForOrigin", { origin: relay.origin });
  await anna.page.getByRole("button", { name: words.composer.send, exact: true }).click();
  await waitUntilSent(anna.page, "There is room again.");
  await anna.page.reload();
  await postWith(anna.page, "There is room again.").waitFor();
  assert.equal(await anna.page.getByRole("article").count(), 2, "each post is there once");
  scene.assertClean();
});

test("a flipped bit in any one record is noticed, never shown, and costs only that record", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await settled(scene, relay);
  for (const word of ["One.", "Two.", "Three."]) await post(anna.page, word);
  await waitUntilSent(anna.page, "Three.");
  const flipped = await flipOneRecordOfEachStore(anna, relay);
  assert.ok(flipped > 0, "there was something to damage");
  await anna.page.goto(relay.origin);
  const notice = anna.page.getByText(like(words.notice.damaged_one)).or(anna.page.getByText(like(words.notice.damaged_other)));
  await notice.or(anna.page.getByText(words.failure.keys_damaged_text)).first().waitFor();
  await look(anna.page, "damaged");
  scene.assertClean();
});

test("a clock that is a day off is noticed", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna", { beforeWorker: A_DAY_AHEAD });
  await anna.page.goto(relay.origin);
  await startCommunity(anna.page, "Lantern Street");
  await share(anna.page);
  await anna.page.getByText(like(words.notice.clock_ahead)).first().waitFor();
  await look(anna.page, "clock-off");
  scene.assertClean();
});

async function settled(scene, relay) {
  const anna = await scene.person("anna");
  await anna.page.goto(relay.origin);
  await startCommunity(anna.page, "Lantern Street");
  await share(anna.page);
  await post(anna.page, "The lantern is lit.");
  await waitUntilSent(anna.page, "The lantern is lit.");
  return anna;
}

/** Flips one bit in the last record of each store that holds more than one, from a page without the app. */
async function flipOneRecordOfEachStore(person, relay) {
  await composer(person.page).waitFor();
  await person.page.goto(`${relay.origin}/manifest.webmanifest`);
  return person.page.evaluate(async () => {
    const done = (request) => new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    let flipped = 0;
    for (const { name } of await indexedDB.databases()) {
      const database = await done(indexedDB.open(name));
      for (const store of database.objectStoreNames) {
        const objects = database.transaction(store, "readwrite").objectStore(store);
        const [keys, values] = await Promise.all([done(objects.getAllKeys()), done(objects.getAll())]);
        const value = values.at(-1);
        const bytes = ArrayBuffer.isView(value) ? value : value instanceof ArrayBuffer ? new Uint8Array(value) : null;
        if (bytes && values.length > 1) {
          bytes[bytes.length - 1] ^= 1;
          await done(objects.put(value, objects.keyPath === null ? keys.at(-1) : undefined));
          flipped += 1;
        }
      }
      database.close();
    }
    return flipped;
  });
}
