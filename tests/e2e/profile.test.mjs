// Who people say they are in a community.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { closePeople, memberLine, openMember, post, postWith } from "./harness/app.mjs";
import { close } from "./harness/posts.mjs";
import { look } from "./harness/screens.mjs";
import { three } from "./harness/street.mjs";
import { words } from "./harness/words.mjs";

const button = (page, name) => page.getByRole("button", { name, exact: true });

async function openProfile(page, name) {
  const sheet = await openMember(page, name);
  await button(sheet, words.people.profile).click();
  const profile = page.getByRole("dialog", { name: words.profile.title });
  await profile.waitFor();
  return profile;
}

async function save(profile) {
  await button(profile, words.profile.save).click();
  await profile.waitFor({ state: "hidden" });
}

/** Whether a picture is really drawn within something. */
const drawn = async (within) => {
  const image = within.locator("img").first();
  await image.waitFor();
  return image.evaluate(async (one) => {
    await one.decode();
    return one.src.startsWith("blob:") && one.naturalWidth > 0;
  });
};

test("name, line and picture are changed and seen by the others", async (t) => {
  const { scene, anna, bert, carla } = await three(t);
  await post(bert.page, "Guess who.");
  await postWith(anna.page, "Guess who.").waitFor();

  let profile = await openProfile(bert.page, "Bert");
  const file = profile.getByLabel(words.profile.choose);
  await file.setInputFiles({ name: "no.png", mimeType: "image/png", buffer: Buffer.from("<svg onload=alert(1)>") });
  await profile.getByText(words.profile.unreadable).waitFor();
  await file.setInputFiles({ name: "me.png", mimeType: "image/png", buffer: await readFile("assets/icons/ume-512.png") });
  assert.ok(await drawn(profile), "a preview");
  await profile.getByLabel(words.profile.name).fill("");
  await profile.getByText(words.profile.name_needed).waitFor();
  await profile.getByLabel(words.profile.name).fill("Bertram");
  await profile.getByLabel(words.profile.line).fill("Keeps the bees behind number seven.");
  await look(bert.page, "profile");
  await save(profile);
  await memberLine(bert.page, "Bertram").waitFor();
  await closePeople(bert.page);

  for (const { page } of [anna, carla]) {
    await postWith(page, "Guess who.").getByText("Bertram").waitFor();
    assert.ok(await drawn(postWith(page, "Guess who.")), "beside his post");
  }
  await look(anna.page, "feed-pictures");
  const sheet = await openMember(anna.page, "Bertram");
  await sheet.getByText("Keeps the bees behind number seven.").waitFor();
  await sheet.getByText(words.people.mark).waitFor();
  assert.ok(await drawn(sheet), "in his sheet");
  await look(anna.page, "member-profile");
  await close(sheet);

  await carla.page.reload();
  await postWith(carla.page, "Guess who.").waitFor();
  assert.ok(await drawn(postWith(carla.page, "Guess who.")), "after a new start");

  profile = await openProfile(bert.page, "Bertram");
  await button(profile, words.profile.remove).click();
  await save(profile);
  await postWith(carla.page, "Guess who.").locator("img").waitFor({ state: "detached" });
  scene.assertClean();
});
