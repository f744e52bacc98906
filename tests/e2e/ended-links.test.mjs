// Links that are withdrawn, or used by more than they allow.
import { test } from "node:test";
import { join, joinButton, openInvite, openPeople, share, startCommunity } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";
import { look } from "./harness/screens.mjs";
import { STREET, turnedAway } from "./harness/street.mjs";
import { words } from "./harness/words.mjs";

test("a link that is withdrawn, and one that two people use at once, let nobody more in", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const [anna, bert, carla] = [await scene.person("anna"), await scene.person("bert"), await scene.person("carla")];
  await anna.page.goto(relay.origin);
  await startCommunity(anna.page, STREET, "Anna");
  const once = await share(anna.page, { uses: words.share.one });
  await openInvite(bert.page, once);
  await openInvite(carla.page, once);
  await join(bert.page, "Bert");
  await joinButton(carla.page).click();
  await carla.page.getByText(words.failure.invite_used_up_text).waitFor();
  await look(carla.page, "over-used");

  const link = await share(anna.page);
  await openPeople(anna.page, words.people.invites);
  const withdraw = anna.page.getByRole("button", { name: words.invites.withdraw, exact: true });
  await look(anna.page, "invites");
  await withdraw.first().click();
  const sheet = anna.page.getByRole("dialog", { name: words.invites.withdraw_title });
  await sheet.waitFor();
  await look(anna.page, "withdraw");
  await sheet.getByRole("button", { name: words.invites.withdraw, exact: true }).click();
  await sheet.waitFor({ state: "hidden" });
  await turnedAway(carla, link, words.failure.invite_unknown_text);
  scene.assertClean();
});
