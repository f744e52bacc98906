// Every screen of the main job at both widths in both themes: a picture, no sideways scrolling, nothing inaccessible.
import assert from "node:assert/strict";
import { test } from "node:test";
import { firstScreen, join, memberLine, openInvite, openMember, openPeople, openShareSheet, post, postWith, share, sharedLink, startCommunity, waitUntilSent } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";
import { look } from "./harness/screens.mjs";
import { words } from "./harness/words.mjs";

test("the screens of the main job", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const [anna, bert] = [await scene.person("anna"), await scene.person("bert")];
  const { page } = anna;
  await page.goto(relay.origin);
  await firstScreen(page).waitFor();
  await look(page, "welcome");
  await firstScreen(page).click();
  await page.getByLabel(words.start.name).waitFor();
  await look(page, "start");
  await page.goto(relay.origin);
  await startCommunity(page, "Lantern Street", "Anna");
  await openShareSheet(page);
  await sharedLink(page);
  await look(page, "share");
  const link = await share(page);
  await look(page, "feed-empty");
  for (const text of ["The lantern is lit.", "Soup at seven.\nBring a spoon, and somebody who is new here.", "x".repeat(300)]) {
    await post(page, text);
    await waitUntilSent(page, text.slice(0, 100).split("\n")[0]);
  }
  await openInvite(bert.page, link);
  await look(bert.page, "invite");
  await join(bert.page, "Bert");
  await post(bert.page, "I bring two chairs.");
  await postWith(page, "I bring two chairs.").waitFor();
  await look(page, "feed");
  await look(bert.page, "feed-newcomer");
  await openPeople(page);
  await look(page, "people");
  const me = await openMember(page, "Anna");
  await look(page, "member-me");
  await me.getByRole("button", { name: words.app.close }).click();
  await openMember(page, "Bert");
  await look(page, "member-owner");
  await page.keyboard.press("Escape");
  assert.equal(await memberLine(page, "Bert").evaluate((line) => line === document.activeElement), true, "the focus is back");
  await openMember(bert.page, "Anna");
  await look(bert.page, "member-other");
  scene.assertClean();
});
