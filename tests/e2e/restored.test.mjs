// A relay that is put back from a backup: what it forgot comes back from the browsers, and everybody goes on.
import { test } from "node:test";
import { composer, join, joinButton, post, postWith, share, startCommunity, waitUntilSent } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";
import { look } from "./harness/screens.mjs";

const [BEFORE, FORGOTTEN, AFTER] = ["Before the backup.", "After the backup.", "After the restore."];

test("two people go on after the relay was restored, and a third finds what it had forgotten", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna");
  await anna.page.goto(relay.origin);
  await startCommunity(anna.page, "Lantern Street", "Anna");
  const link = await share(anna.page);
  await post(anna.page, BEFORE);
  await waitUntilSent(anna.page, BEFORE);

  const backup = await relay.backUp();
  const bert = await scene.person("bert");
  await bert.page.goto(link);
  await joinButton(bert.page).waitFor();
  await join(bert.page, "Bert");
  await postWith(bert.page, BEFORE).waitFor();
  await post(bert.page, FORGOTTEN);
  await postWith(anna.page, FORGOTTEN).waitFor();

  await relay.restore(backup);
  for (const { page } of [anna, bert]) await page.reload();
  await composer(anna.page).waitFor();
  await post(anna.page, AFTER);
  await waitUntilSent(anna.page, AFTER);
  await postWith(bert.page, AFTER).waitFor();
  await look(bert.page, "restored");

  // Whoever comes now reads it all: the relay had forgotten Bert and what he wrote.
  const carla = await scene.person("carla");
  await carla.page.goto(link);
  await joinButton(carla.page).waitFor();
  await join(carla.page, "Carla");
  for (const text of [BEFORE, FORGOTTEN, AFTER]) await postWith(carla.page, text).waitFor();
  scene.assertClean();
});
