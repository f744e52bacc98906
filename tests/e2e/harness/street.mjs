// Anna's community with Bert and Carla in it, for tests of how it is run.
import assert from "node:assert/strict";
import { join, joinButton, openInvite, post, postWith, share, startCommunity } from "./app.mjs";
import { Scene } from "./scene.mjs";
import { like } from "./words.mjs";

export const STREET = "Lantern Street";

/** The three, who have read Anna's first post, and the link by which the others came. */
export async function three(t) {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const [anna, bert, carla] = [await scene.person("anna"), await scene.person("bert"), await scene.person("carla")];
  await anna.page.goto(relay.origin);
  await startCommunity(anna.page, STREET, "Anna");
  const link = await share(anna.page);
  for (const [person, name] of [[bert, "Bert"], [carla, "Carla"]]) {
    await openInvite(person.page, link);
    await join(person.page, name);
  }
  await post(anna.page, "The lantern is lit.");
  for (const { page } of [anna, bert, carla]) await postWith(page, "The lantern is lit.").waitFor();
  return { scene, relay, anna, bert, carla, link };
}

/** How somebody's membership ended, as their own browser says it. */
export const ended = (page, text) => page.getByText(like(text, { name: STREET }));

/** What somebody sees who opens a link that no longer lets anybody in. */
export async function turnedAway(person, link, text) {
  await person.page.goto("about:blank");
  await person.page.goto(link);
  await person.page.getByText(text).waitFor();
  assert.equal(await joinButton(person.page).count(), 0);
}
