// Two tabs of one profile never write at once: the second offers to take over, the first yields without loss.
import { test } from "node:test";
import { composer, post, postWith, share, startCommunity, takeOverButton, waitUntilSent } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";
import { look } from "./harness/screens.mjs";
import { words } from "./harness/words.mjs";

test("a second tab takes over and the first yields without loss", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const anna = await scene.person("anna");
  const first = anna.page;
  await first.goto(relay.origin);
  await startCommunity(first, "Lantern Street");
  await share(first);
  await post(first, "From the first tab.");

  const second = await anna.context.newPage();
  await second.goto(relay.origin);
  await takeOverButton(second).waitFor();
  await look(second, "second-tab");
  await takeOverButton(second).click();
  await composer(second).waitFor();
  await postWith(second, "From the first tab.").waitFor();
  await waitUntilSent(second, "From the first tab.");
  await first.getByText(words.elsewhere.yielded_title).waitFor();

  await post(second, "From the second tab.");
  await waitUntilSent(second, "From the second tab.");
  await takeOverButton(first).click();
  await postWith(first, "From the second tab.").waitFor();
  await second.getByText(words.elsewhere.yielded_title).waitFor();
  scene.assertClean();
});
