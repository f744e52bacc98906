// A community goes to another owner.
import assert from "node:assert/strict";
import { test } from "node:test";
import { changeRole, closePeople, decide, memberLine, openMember, post, postWith, waitUntilSent } from "./harness/app.mjs";
import { look } from "./harness/screens.mjs";
import { ended, three } from "./harness/street.mjs";
import { like, words } from "./harness/words.mjs";

test("a community is handed over: declined once, then accepted, and who had it leaves", async (t) => {
  const { scene, anna, bert } = await three(t);
  const offer = () => decide(anna.page, "Bert", words.people.offer, words.people.offer_go);
  const answer = async (word) => {
    await bert.page.getByRole("button", { name: words.people.offer_look }).click();
    const sheet = bert.page.getByRole("dialog", { name: "Bert" });
    await sheet.getByText(like(words.people.offered, { name: "Anna" })).waitFor();
    if (word === words.people.accept) await look(bert.page, "offered");
    await sheet.getByRole("button", { name: word, exact: true }).click();
    await sheet.waitFor({ state: "hidden" });
  };
  const me = await openMember(anna.page, "Anna");
  await me.getByText(words.people.only_owner).waitFor();
  await me.getByRole("button", { name: words.app.close }).click();

  await offer();
  await answer(words.people.decline);
  await bert.page.getByText(words.people.offer_strip).waitFor({ state: "detached" });
  const sheet = await openMember(anna.page, "Bert");
  await sheet.getByRole("button", { name: words.people.offer, exact: true }).waitFor();
  await look(anna.page, "member");
  await sheet.getByRole("button", { name: words.app.close }).click();
  await offer();
  await answer(words.people.accept);
  await memberLine(bert.page, "Bert").filter({ hasText: words.role.owner }).waitFor();
  await memberLine(anna.page, "Anna").filter({ hasText: words.role.admin }).waitFor();
  await decide(anna.page, "Anna", words.people.leave, words.people.leave_go);
  await ended(anna.page, words.ended.left).waitFor();
  await look(anna.page, "left");
  await changeRole(bert.page, "Carla", words.role.admin);
  await closePeople(bert.page);
  await post(bert.page, "Mine now.");
  await waitUntilSent(bert.page, "Mine now.");
  assert.equal(await postWith(anna.page, "Mine now.").count(), 0);
  scene.assertClean();
});
