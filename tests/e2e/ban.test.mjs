// Somebody is banned, and all links end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { changeRole, join, openInvite, openMember, openPeople, postWith, share } from "./harness/app.mjs";
import { look } from "./harness/screens.mjs";
import { ended, three, turnedAway } from "./harness/street.mjs";
import { like, words } from "./harness/words.mjs";

test("a ban ends all links, which their makers are told; a new link works", async (t) => {
  const { scene, anna, bert, carla, link } = await three(t);
  await changeRole(anna.page, "Carla", words.role.admin);
  await carla.page.getByRole("button", { name: words.feed.share, exact: true }).waitFor();
  await share(carla.page);

  const sheet = await openMember(anna.page, "Bert");
  await sheet.getByRole("button", { name: words.people.ban, exact: true }).click();
  await sheet.getByText(like(words.people.ban_links_other, { count: 2 })).waitFor();
  await look(anna.page, "ban");
  await sheet.getByRole("button", { name: words.people.ban_go.replace("{{ name }}", "Bert") }).click();
  await sheet.waitFor({ state: "hidden" });
  await ended(bert.page, words.ended.banned).waitFor();
  await look(bert.page, "banned");
  for (const { page } of [anna, carla]) {
    await page.getByText(like(words.notice.links_ended_one, { count: 1 })).waitFor();
  }
  await openPeople(anna.page, words.people.invites);
  await anna.page.getByText(words.invites.after_ban).waitFor();
  await anna.page.getByText(like(words.invites.past_other, { count: 2 })).click();
  assert.equal(await anna.page.getByText(words.invites.banned, { exact: true }).count(), 2);
  await look(anna.page, "invites-after-ban");

  const dora = await scene.person("dora");
  await turnedAway(dora, link, words.failure.invite_unknown_text);
  // Under the same terms as before it is another link, and not the one that ended.
  await anna.page.getByRole("button", { name: words.invites.make }).click();
  const fresh = await share(anna.page);
  assert.notEqual(fresh, link);
  await openInvite(dora.page, fresh);
  await join(dora.page, "Dora");
  await postWith(dora.page, "The lantern is lit.").waitFor();
  scene.assertClean();
});
