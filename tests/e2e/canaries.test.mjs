// Nothing that people wrote, named or hold can be read from what is stored, here or at the relay.
import assert from "node:assert/strict";
import { test } from "node:test";
import { join, openInvite, post, postWith, share, startCommunity, waitUntilSent } from "./harness/app.mjs";
import { openKeys, setPassphrase } from "./harness/keys.mjs";
import { canary, dumpOrigin, partsOfLink, searchFolder, searchBytes } from "./harness/canary.mjs";
import { Scene } from "./harness/scene.mjs";

/** Less would mean that the search looked at an empty database. */
const RECORDS_MIN = 10;

test("no text, name, key, passphrase or community id stands in the relay's data or in the browser's", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const secrets = {
    community: canary("Street"), anna: canary("Anna"), bert: canary("Bert"),
    passphrase: canary("Lantern soup"), post: canary("A post says"), reply: canary("A reply says"),
  };
  const [anna, bert] = [await scene.person("anna"), await scene.person("bert")];
  await anna.page.goto(relay.origin);
  await startCommunity(anna.page, secrets.community, secrets.anna);
  const link = await share(anna.page);
  await post(anna.page, secrets.post);
  await waitUntilSent(anna.page, secrets.post);
  await openInvite(bert.page, link);
  await join(bert.page, secrets.bert);
  await post(bert.page, secrets.reply);
  await postWith(anna.page, secrets.reply).waitFor();
  await openKeys(anna.page);
  await setPassphrase(anna.page, secrets.passphrase);

  const { secret, community } = partsOfLink(link);
  const all = { ...secrets, "invite secret": secret, "community id": community };
  for (const person of [anna, bert]) {
    const { bytes, records } = await dumpOrigin(person.page);
    assert.ok(records >= RECORDS_MIN, `${person.name} stored only ${records} records`);
    assert.deepEqual(searchBytes(bytes, all), [], `in ${person.name}'s IndexedDB`);
  }
  scene.assertClean();
  // The processes have to end before their files are whole.
  await relay.end("SIGTERM");
  assert.deepEqual(await searchFolder(relay.data, all), [], "in the relay's data");
  for (const person of [anna, bert]) {
    await person.closeBrowser();
    assert.deepEqual(await searchFolder(`${person.profile}/Default/IndexedDB`, all), [], `on ${person.name}'s disk`);
  }
});

test("the search finds what it looks for", () => {
  const secret = "A post says hello";
  for (const shape of [Buffer.from(secret), Buffer.from(secret, "utf16le"), Buffer.from(btoa(`x${secret}`))]) {
    assert.deepEqual(searchBytes(Buffer.concat([Buffer.from("noise"), shape]), { secret }), ["secret"]);
  }
});
