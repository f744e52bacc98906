// A private invite: somebody asks, closes the browser, and finds the community open when they come back.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ask, asking, composer, openInvites, openPeople, openPrivate, openShareSheet, post, postWith, refused, request, share,
  sharePrivate, startCommunity, waitUntilSent,
} from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";
import { look } from "./harness/screens.mjs";
import { STREET } from "./harness/street.mjs";
import { like, words } from "./harness/words.mjs";

test("who asks by a private link closes the browser, is let in, and comes in with nobody there", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const [anna, bert, carla] = [await scene.person("anna"), await scene.person("bert"), await scene.person("carla")];
  await anna.page.goto(relay.origin);
  await startCommunity(anna.page, STREET, "Anna");
  await share(anna.page);
  await post(anna.page, "The lantern is lit.");
  await waitUntilSent(anna.page, "The lantern is lit.");
  const sheet = await openShareSheet(anna.page);
  await sheet.getByRole("radio", { name: words.share.private, exact: true }).check();
  await look(anna.page, "share-private");
  await sheet.getByRole("button", { name: words.app.close, exact: true }).click();
  const link = await sharePrivate(anna.page);
  assert.notEqual(await sharePrivate(anna.page), link, "each private link is for one person");

  await openPrivate(bert.page, link);
  await look(bert.page, "private-card");
  await ask(bert.page, "Bert", "From the third floor, with the two chairs.");
  await asking(bert.page).waitFor();
  await look(bert.page, "asking");
  // Once the request is with the relay, the tab may be closed.
  await anna.page.locator("[data-test=requests-badge]").waitFor();
  await bert.closeBrowser();

  await look(anna.page, "requests-badge");
  await openPeople(anna.page);
  const asks = request(anna.page, "Bert");
  await asks.getByText("From the third floor, with the two chairs.").waitFor();
  await asks.getByText(like(words.requests.through, { name: "Anna" })).waitFor();
  await look(anna.page, "requests");
  await asks.getByRole("button", { name: words.requests.let_in, exact: true }).click();
  await asks.waitFor({ state: "hidden" });
  await openInvites(anna.page);
  await look(anna.page, "private-invites");

  // Somebody else with the same link finds it used up.
  await carla.page.goto(link);
  await carla.page.getByText(words.failure.invite_used_up_text).waitFor();
  await look(carla.page, "private-used-up");

  await anna.closeBrowser();
  await bert.openBrowser();
  await bert.page.goto(relay.origin);
  await composer(bert.page).waitFor();
  await postWith(bert.page, "The lantern is lit.").waitFor();
  await look(bert.page, "let-in");
  await post(bert.page, "I bring two chairs.");
  await waitUntilSent(bert.page, "I bring two chairs.");

  await anna.openBrowser();
  await anna.page.goto(relay.origin);
  await postWith(anna.page, "I bring two chairs.").waitFor();
  scene.assertClean();
});

test("who is declined is told, who takes it back is gone, and a withdrawn link says so", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const [anna, bert, carla] = [await scene.person("anna"), await scene.person("bert"), await scene.person("carla")];
  await anna.page.goto(relay.origin);
  await startCommunity(anna.page, STREET, "Anna");
  await share(anna.page);
  const link = await sharePrivate(anna.page);
  for (const [{ page }, name] of [[bert, "Bert"], [carla, "Carla"]]) {
    await openPrivate(page, link);
    await ask(page, name);
    await asking(page).waitFor();
  }
  await openPeople(anna.page);
  await request(anna.page, "Carla").waitFor();
  await request(anna.page, "Bert").getByRole("button", { name: words.requests.decline, exact: true }).click();
  const question = anna.page.getByRole("dialog", { name: words.requests.decline_title });
  await question.waitFor();
  await look(anna.page, "decline");
  await question.getByRole("button", { name: words.requests.decline, exact: true }).click();
  await question.waitFor({ state: "hidden" });
  await refused(bert.page, words.asking.declined_text).waitFor();
  await look(bert.page, "declined");
  await bert.page.getByRole("button", { name: words.asking.clear, exact: true }).click();
  await bert.page.locator("[data-test=welcome]").waitFor();

  await carla.page.getByRole("button", { name: words.asking.take_back, exact: true }).click();
  await carla.page.locator("[data-test=welcome]").waitFor();
  await request(anna.page, "Carla").waitFor({ state: "hidden" });

  // Carla asks again, and the link is withdrawn while she waits.
  await openPrivate(carla.page, link);
  await ask(carla.page, "Carla");
  await asking(carla.page).waitFor();
  await request(anna.page, "Carla").waitFor();
  await openInvites(anna.page);
  await anna.page.locator("[data-test=invite-line]").filter({ hasText: words.invites.private })
    .getByRole("button", { name: words.invites.withdraw, exact: true }).click();
  const withdraw = anna.page.getByRole("dialog", { name: words.invites.withdraw_title });
  await withdraw.getByRole("button", { name: words.invites.withdraw, exact: true }).click();
  await withdraw.waitFor({ state: "hidden" });
  await refused(carla.page, words.asking.withdrawn_text).waitFor();
  scene.assertClean();
});
