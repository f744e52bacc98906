// Somebody loses their key, comes in again as somebody new, and gets back what they were and owned.
import assert from "node:assert/strict";
import { test } from "node:test";
import { changeRole, closePeople, join, memberLine, openInvite, openMember, openPeople, post, postWith } from "./harness/app.mjs";
import { edit, handTo } from "./harness/posts.mjs";
import { look } from "./harness/screens.mjs";
import { ended, three } from "./harness/street.mjs";
import { like, words } from "./harness/words.mjs";

test("an owner gives a new persona what the lost one was and owned, and everybody sees it", async (t) => {
  const { scene, anna, bert, carla, link } = await three(t);
  await changeRole(anna.page, "Bert", words.role.admin);
  await closePeople(anna.page);
  await post(bert.page, "I keep the spare key.");
  await postWith(anna.page, "I keep the spare key.").waitFor();

  // His old browser still lies somewhere; he comes in with another one.
  const bernd = await scene.person("bernd");
  await openInvite(bernd.page, link);
  await join(bernd.page, "Bernd");
  await postWith(bernd.page, "I keep the spare key.").waitFor();

  await openPeople(anna.page);
  await memberLine(anna.page, "Bernd").waitFor();
  const sheet = await openMember(anna.page, "Bernd");
  await sheet.getByRole("button", { name: words.people.recover, exact: true }).click();
  const back = anna.page.getByRole("dialog", { name: like(words.hand.back_title, { name: "Bernd" }) });
  await back.getByRole("combobox", { name: words.hand.who_were }).selectOption({ label: "Bert" });
  await back.getByText(like(words.hand.back_text, { old: "Bert", new: "Bernd" })).waitFor();
  await look(anna.page, "recover");
  await handTo(anna.page, "Bert", words.hand.back_go);

  await ended(bert.page, words.ended.removed).waitFor();
  await memberLine(anna.page, "Bernd").filter({ hasText: words.role.admin }).waitFor();
  await openPeople(carla.page);
  await memberLine(carla.page, "Bernd").getByText(words.people.was.replace("{{ name }}", "Bert")).waitFor();
  await carla.page.getByText(words.people.former_one.replace("{{ count }}", "1")).click();
  const former = carla.page.getByRole("list", { name: words.people.former_label });
  await former.getByText(words.people.now.replace("{{ name }}", "Bernd")).waitFor();
  await openMember(carla.page, "Bernd");
  await carla.page.getByText(like(words.people.was_text, { name: "Bert" })).waitFor();
  await look(carla.page, "member-recovered");
  await carla.page.keyboard.press("Escape");
  await closePeople(carla.page);

  const owned = postWith(carla.page, "I keep the spare key.").getByRole("button", { name: like(words.post.given, { name: "Bernd" }) });
  await owned.click();
  await carla.page.getByText(like(words.post.handed, { name: "Bernd", by: "Anna" })).waitFor();
  // While somebody looks at a post, its row stands still.
  await carla.page.keyboard.press("Escape");
  await edit(bernd.page, "I keep the spare key.", "I keep both keys.");
  await postWith(carla.page, "I keep both keys.").waitFor();
  assert.equal(await postWith(bert.page, "I keep both keys.").count(), 0);
  scene.assertClean();
});
