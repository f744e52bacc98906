// Who may write: by role, by the rules, by invite.
import assert from "node:assert/strict";
import { test } from "node:test";
import { changeRole, closePeople, composer, joinButton, openInvite, openPeople, post, postWith, share, waitUntilSent } from "./harness/app.mjs";
import { look } from "./harness/screens.mjs";
import { three } from "./harness/street.mjs";
import { words } from "./harness/words.mjs";

test("a reader reads and cannot post, by role, by invite and by the rules", async (t) => {
  const { scene, anna, bert, carla } = await three(t);
  await changeRole(anna.page, "Bert", words.role.reader);
  await bert.page.getByText(words.silence.reader).waitFor();
  assert.equal(await composer(bert.page).count(), 0);
  await look(bert.page, "reader");
  await closePeople(anna.page);
  await post(anna.page, "Readers read this.");
  await postWith(bert.page, "Readers read this.").waitFor();
  await changeRole(anna.page, "Bert", words.role.member);
  await post(bert.page, "And I may write again.");
  await waitUntilSent(bert.page, "And I may write again.");

  // The rules, seen by everybody, changed by the owner.
  await openPeople(anna.page, words.people.rules);
  await anna.page.getByLabel(words.rules.post).selectOption({ label: words.rules.admins });
  await look(anna.page, "rules-owner");
  await anna.page.getByRole("button", { name: words.rules.save }).click();
  await carla.page.getByText(words.silence.admins).waitFor();
  assert.equal(await composer(carla.page).count(), 0);
  await openPeople(carla.page, words.people.rules);
  await carla.page.locator("[data-test=rules]").getByText(words.rules.admins).first().waitFor();
  assert.equal(await carla.page.getByRole("button", { name: words.rules.save }).count(), 0);
  await look(carla.page, "rules-member");

  await closePeople(anna.page);
  const link = await share(anna.page, { role: words.share.readers });
  const dora = await scene.person("dora");
  await openInvite(dora.page, link);
  await dora.page.getByText(words.redeem.reader).waitFor();
  await joinButton(dora.page).click();
  await dora.page.getByText(words.silence.reader).waitFor();
  await postWith(dora.page, "Readers read this.").waitFor();
  scene.assertClean();
});
