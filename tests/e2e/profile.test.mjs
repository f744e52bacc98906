// Who people say they are in a community.
import assert from "node:assert/strict";
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

/** A large picture with much in it, as a camera would make it: hills under a low sun, and noise. */
async function photo(page) {
  const base64 = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(1600, 1100);
    const brush = canvas.getContext("2d");
    const sky = brush.createLinearGradient(0, 0, 0, 800);
    sky.addColorStop(0, "#f7b267");
    sky.addColorStop(1, "#f25c54");
    brush.fillStyle = sky;
    brush.fillRect(0, 0, 1600, 1100);
    for (const [colour, x, y, size] of [["#fff3c4", 900, 420, 150], ["#7b4b94", 500, 1300, 700], ["#3d2c5e", 1200, 1500, 800]]) {
      brush.fillStyle = colour;
      brush.beginPath();
      brush.arc(x, y, size, 0, 7);
      brush.fill();
    }
    const pixels = brush.getImageData(0, 0, 1600, 1100);
    for (let at = 0; at < pixels.data.length; at += 1) pixels.data[at] += Math.random() * 24;
    brush.putImageData(pixels, 0, 0);
    const blob = await canvas.convertToBlob({ type: "image/png" });
    let text = "";
    for (const byte of new Uint8Array(await blob.arrayBuffer())) text += String.fromCharCode(byte);
    return btoa(text);
  });
  return Buffer.from(base64, "base64");
}

test("name, line and picture are changed and seen by the others", async (t) => {
  const { scene, anna, bert, carla } = await three(t);
  await post(bert.page, "Guess who.");
  await postWith(anna.page, "Guess who.").waitFor();

  let profile = await openProfile(bert.page, "Bert");
  const file = profile.getByLabel(words.profile.choose);
  await file.setInputFiles({ name: "no.png", mimeType: "image/png", buffer: Buffer.from("<svg onload=alert(1)>") });
  await profile.getByText(words.profile.unreadable).waitFor();
  await file.setInputFiles({ name: "me.png", mimeType: "image/png", buffer: await photo(bert.page) });
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
