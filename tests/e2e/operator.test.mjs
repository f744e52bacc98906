// An operator's walk with people in the app: start with access keys, hand one out, back up, lose the machine, restore.
import { test } from "node:test";
import { composer, firstScreen, join, joinButton, post, postWith, share, waitUntilSent } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";
import { words } from "./harness/words.mjs";

const [BEFORE, FORGOTTEN, AFTER, REPLY] = ["Before the backup.", "After the backup.", "After the restore.", "I am new here."];

test("a community goes on over a restore of its relay, and newcomers still come in", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay(["--access", "keys"]);
  const key = await relay.accessKey("lantern street");

  const anna = await scene.person("anna");
  await anna.page.goto(relay.origin);
  await firstScreen(anna.page).click();
  await anna.page.getByLabel(words.start.name).fill("Lantern Street");
  const go = anna.page.getByRole("button", { name: words.start.go, exact: true });
  await go.click();
  await anna.page.getByLabel(words.start.access).fill(key);
  await go.click();
  await composer(anna.page).waitFor();
  const link = await share(anna.page);
  await post(anna.page, BEFORE);
  await waitUntilSent(anna.page, BEFORE);

  const backup = await relay.backUp();
  await post(anna.page, FORGOTTEN);
  await waitUntilSent(anna.page, FORGOTTEN);
  await relay.restore(backup);

  // Nobody loads the page again: it finds the relay by itself.
  await post(anna.page, AFTER);
  await waitUntilSent(anna.page, AFTER, 60_000);
  for (const text of [BEFORE, FORGOTTEN]) await waitUntilSent(anna.page, text);

  const bert = await scene.person("bert");
  await bert.page.goto(link);
  await joinButton(bert.page).waitFor();
  await join(bert.page, "Bert");
  for (const text of [BEFORE, FORGOTTEN, AFTER]) await postWith(bert.page, text).waitFor();
  await post(bert.page, REPLY);
  await waitUntilSent(bert.page, REPLY);
  await postWith(anna.page, REPLY).waitFor();
  scene.assertClean();
});
