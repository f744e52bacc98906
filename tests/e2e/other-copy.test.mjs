// A link works in every copy of the app, not only in the one that made it.
import { test } from "node:test";
import { join, joinButton, pasteInvite, post, postWith, share, startCommunity, waitUntilSent } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";

test("a link pasted into another copy of the app leads to the same community", async (t) => {
  const scene = new Scene(t);
  const [relay, elsewhere] = [await scene.relay(), await scene.relay()];
  const anna = await scene.person("anna");
  await anna.page.goto(relay.origin);
  await startCommunity(anna.page, "Lantern Street");
  const link = await share(anna.page);
  await post(anna.page, "The lantern is lit.");
  await waitUntilSent(anna.page, "The lantern is lit.");

  const bert = await scene.person("bert");
  await bert.page.goto(elsewhere.origin);
  await pasteInvite(bert.page, `Anna wrote:\n ${link}\n`);
  await joinButton(bert.page).waitFor();
  await join(bert.page);
  await postWith(bert.page, "The lantern is lit.").waitFor();
  await post(bert.page, "Seen from elsewhere.");
  await postWith(anna.page, "Seen from elsewhere.").waitFor();
  scene.assertClean();
});
