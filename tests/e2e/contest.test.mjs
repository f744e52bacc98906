// Somebody else is taken for a person whose browser was only shut: they say so, everybody sees it, and the owner undoes it.
import { test } from "node:test";
import { changeRole, closePeople, join, memberLine, openInvite, openMember, openPeople, post, postWith } from "./harness/app.mjs";
import { handTo } from "./harness/posts.mjs";
import { look } from "./harness/screens.mjs";
import { ended, three } from "./harness/street.mjs";
import { like, words } from "./harness/words.mjs";

test("a recovery that was a mistake is contested, seen by all, and undone", async (t) => {
  const { scene, anna, bert, carla, link } = await three(t);
  await changeRole(anna.page, "Bert", words.role.admin);
  await closePeople(anna.page);
  await post(bert.page, "I keep the spare key.");
  await postWith(anna.page, "I keep the spare key.").waitFor();
  const other = await scene.person("other");
  await openInvite(other.page, link);
  await join(other.page, "Bernd");

  await openPeople(anna.page);
  await memberLine(anna.page, "Bernd").waitFor();
  const sheet = await openMember(anna.page, "Bernd");
  await sheet.getByRole("button", { name: words.people.recover, exact: true }).click();
  await handTo(anna.page, "Bert", words.hand.back_go);

  // He finds himself out, is told why, and says so once.
  await ended(bert.page, words.ended.removed).waitFor();
  await bert.page.getByText(words.contest.why).waitFor();
  await bert.page.getByRole("button", { name: words.contest.say, exact: true }).click();
  await look(bert.page, "contest");
  await bert.page.getByRole("button", { name: words.contest.go, exact: true }).click();
  await bert.page.getByText(words.contest.sent).waitFor();
  await bert.page.reload();
  await bert.page.getByText(words.contest.sent).waitFor();

  // Everybody sees it, and nothing has changed by itself.
  await openPeople(carla.page);
  await memberLine(carla.page, "Bernd").filter({ hasText: words.role.admin }).waitFor();
  await openMember(carla.page, "Bernd");
  await carla.page.getByText(like(words.contest.member, { name: "Bert" })).waitFor();
  await look(carla.page, "member-contested");
  await carla.page.keyboard.press("Escape");
  await closePeople(carla.page);

  // The owner undoes it, after one question.
  const contested = await openMember(anna.page, "Bernd");
  await contested.getByText(like(words.contest.member, { name: "Bert" })).waitFor();
  await contested.getByRole("button", { name: words.contest.undo, exact: true }).click();
  await look(anna.page, "undo-recovery");
  await contested.getByRole("button", { name: words.contest.undo_go, exact: true }).click();
  await memberLine(anna.page, "Bernd").filter({ hasText: words.role.member }).waitFor();

  // With a link he comes in as who he was.
  await openInvite(bert.page, link);
  await join(bert.page, "Bert");
  await memberLine(anna.page, "Bert").filter({ hasText: words.role.admin }).waitFor();
  await closePeople(anna.page);
  await post(bert.page, "It was never lost.");
  await postWith(carla.page, "It was never lost.").waitFor();
  scene.assertClean();
});
