// Somebody is removed: told so in their own browser, and quietly named to the others.
import assert from "node:assert/strict";
import { test } from "node:test";
import { closePeople, composer, decide, join, memberLine, openInvite, openPeople, post, postWith } from "./harness/app.mjs";
import { look } from "./harness/screens.mjs";
import { ended, three } from "./harness/street.mjs";
import { words } from "./harness/words.mjs";

test("somebody who is removed is told so, reads nothing newer and cannot post", async (t) => {
  const { scene, anna, bert, carla, link } = await three(t);
  await decide(anna.page, "Bert", words.people.remove, words.people.remove_go);
  await memberLine(anna.page, "Bert").waitFor({ state: "detached" });
  await ended(bert.page, words.ended.removed).waitFor();
  await composer(bert.page).waitFor({ state: "detached" });
  await bert.page.getByText(words.silence.ended).waitFor();
  await closePeople(anna.page);
  await post(anna.page, "Now we are two.");
  await postWith(carla.page, "Now we are two.").waitFor();
  await look(bert.page, "removed");
  // The same after a new start, with everything that was read before.
  await bert.page.reload();
  await ended(bert.page, words.ended.removed).waitFor();
  await postWith(bert.page, "The lantern is lit.").waitFor();
  assert.equal(await postWith(bert.page, "Now we are two.").count(), 0);
  assert.equal(await composer(bert.page).count(), 0);
  // The others see him quietly, and the link he came by still works.
  await openPeople(carla.page);
  await carla.page.getByText(words.people.former_one.replace("{{ count }}", "1")).click();
  const former = carla.page.getByRole("list", { name: words.people.former_label });
  await former.getByText("Bert").waitFor();
  await former.getByText(words.people.removed, { exact: true }).waitFor();
  await look(carla.page, "people-former");
  await bert.page.getByRole("button", { name: words.silence.forget }).click();
  await look(bert.page, "forget");
  await bert.page.getByRole("button", { name: words.silence.forget_go, exact: true }).click();
  await bert.page.locator("[data-test=welcome]").waitFor();
  await openInvite(bert.page, link);
  await join(bert.page, "Bert again");
  scene.assertClean();
});
