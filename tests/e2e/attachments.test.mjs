// Pictures and files beside posts: what leaves, what arrives, and what becomes of it without a network.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { composer, join, openInvite, postWith, serviceWorkerReady, share, startCommunity, waitUntilSent } from "./harness/app.mjs";
import { canary, dumpOrigin, searchBytes } from "./harness/canary.mjs";
import { takeBack } from "./harness/posts.mjs";
import { Scene } from "./harness/scene.mjs";
import { look } from "./harness/screens.mjs";
import { go } from "./harness/walk.mjs";
import { like, words } from "./harness/words.mjs";

const CAMERA = canary("Cam");

async function two(t) {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const [anna, bert] = [await scene.person("anna"), await scene.person("bert")];
  await anna.page.goto(relay.origin);
  await startCommunity(anna.page, "Lantern Street", "Anna");
  const link = await share(anna.page);
  await openInvite(bert.page, link);
  await join(bert.page, "Bert");
  return { scene, relay, anna, bert };
}

/** A photo as a phone would make it: larger than what is sent, with its place and its camera in it. */
async function photo(page, hue, width = 2400, height = 1500) {
  const base64 = await page.evaluate(async ([hue, width, height]) => {
    const canvas = new OffscreenCanvas(width, height);
    const brush = canvas.getContext("2d");
    const sky = brush.createLinearGradient(0, 0, 0, height);
    sky.addColorStop(0, `hsl(${hue} 80% 75%)`);
    sky.addColorStop(1, `hsl(${hue + 40} 70% 45%)`);
    brush.fillStyle = sky;
    brush.fillRect(0, 0, width, height);
    brush.fillStyle = `hsl(${hue + 180} 60% 35%)`;
    brush.beginPath();
    brush.arc(width * 0.6, height, height * 0.5, 0, 7);
    brush.fill();
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 });
    let text = "";
    for (const byte of new Uint8Array(await blob.arrayBuffer())) text += String.fromCharCode(byte);
    return btoa(text);
  }, [hue, width, height]);
  const plain = Buffer.from(base64, "base64");
  const exif = withPlace();
  const length = Buffer.from([0xff, 0xe1, (exif.length + 2) >> 8, (exif.length + 2) & 0xff]);
  return Buffer.concat([plain.subarray(0, 2), length, exif, plain.subarray(2)]);
}

/** What a camera writes: who made it, and 52.5° north. */
function withPlace() {
  const make = Buffer.from(`${CAMERA}\0`);
  const entry = (tag, type, count, value) => {
    const bytes = Buffer.alloc(12);
    bytes.writeUInt16LE(tag, 0);
    bytes.writeUInt16LE(type, 2);
    bytes.writeUInt32LE(count, 4);
    bytes.writeUInt32LE(value, 8);
    return bytes;
  };
  const first = 8;
  const gps = first + 2 + 2 * 12 + 4;
  const after = gps + 2 + 2 * 12 + 4;
  const latitude = Buffer.alloc(24);
  [52, 1, 31, 1, 0, 1].forEach((number, at) => latitude.writeUInt32LE(number, at * 4));
  return Buffer.concat([
    Buffer.from("Exif\0\0II*\0\x08\0\0\0", "latin1"),
    Buffer.from([2, 0]), entry(0x010f, 2, make.length, after + 24), entry(0x8825, 4, 1, gps), Buffer.alloc(4),
    Buffer.from([2, 0]), entry(1, 2, 2, "N".charCodeAt(0)), entry(2, 5, 3, after), Buffer.alloc(4),
    latitude, make,
  ]);
}

const chooser = (page) => page.locator("#compose-files");
const items = (page) => page.locator("[data-test=tray-item]");
const send = (page) => page.getByRole("button", { name: words.composer.send, exact: true });
const pictures = (within) => within.locator("[data-test=picture]");
const lightbox = (page) => page.locator("[data-test=lightbox]");

/** Waits until a picture is drawn whole, not its tiny stand-in. */
const whole = (picture) => picture.locator("img:not(.shot-tiny)").waitFor({ timeout: 30_000 });

async function saved(page, act) {
  const [download] = await Promise.all([page.waitForEvent("download"), act()]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

test("pictures lose what their files tell, are described, put in order and looked at by keyboard", async (t) => {
  const { scene, anna, bert } = await two(t);
  const { page } = anna;
  const buffers = [await photo(page, 20), await photo(page, 200, 900, 1400)];
  assert.ok(buffers[0].includes("Exif") && buffers[0].includes(CAMERA), "the test's own photo has what must go");
  await page.getByText(like(words.files.limit)).waitFor();
  await chooser(page).setInputFiles(buffers.map((buffer, at) => ({ name: `IMG_2026_${at}.jpg`, mimeType: "image/jpeg", buffer })));
  await page.getByText(words.files.stripped).nth(1).waitFor();
  await page.getByLabel(words.files.words).first().fill("A hill in the evening");
  await page.getByLabel(words.files.words).nth(1).fill("The same hill, upright");
  // The second one comes first.
  await items(page).nth(1).getByRole("button", { name: like(words.files.earlier) }).press("Enter");
  assert.equal(await page.getByLabel(words.files.words).first().inputValue(), "The same hill, upright");
  // The keyboard moves along.
  await page.waitForFunction(() => document.activeElement.matches(".tray-item button"));
  await look(page, "attach");
  await composer(page).fill("From yesterday's walk.");
  await send(page).click();
  await waitUntilSent(page, "From yesterday's walk.", 30_000);
  await items(page).first().waitFor({ state: "detached" });

  const post = postWith(bert.page, "From yesterday's walk.");
  await pictures(post).nth(1).waitFor();
  await whole(pictures(post).first());
  await whole(pictures(post).nth(1));
  assert.equal(await pictures(post).first().getAttribute("aria-label"), "The same hill, upright");
  await look(bert.page, "feed-files");

  await pictures(post).first().focus();
  await bert.page.keyboard.press("Enter");
  await lightbox(bert.page).getByText("The same hill, upright").waitFor();
  await bert.page.keyboard.press("ArrowRight");
  await lightbox(bert.page).getByText("A hill in the evening").waitFor();
  await look(bert.page, "lightbox");
  const box = lightbox(bert.page);
  await box.locator("img:not(.shot-tiny)").waitFor();
  const { bytes, name } = await saved(bert.page, () => box.getByRole("button", { name: words.files.save, exact: true }).click());
  assert.equal(name, "picture.webp");
  assert.ok(bytes.length > 1_000 && bytes.subarray(8, 12).toString() === "WEBP", "a picture came");
  assert.deepEqual(searchBytes(bytes, { camera: CAMERA }), []);
  // The browser writes the profile of its own canvas, and nothing of the file's.
  for (const chunk of ["Exif", "EXIF", "XMP "]) assert.ok(!bytes.includes(chunk), chunk);
  const extended = bytes.subarray(12, 16).toString() === "VP8X";
  assert.equal(extended ? bytes.readUIntLE(24, 3) + 1 : bytes.readUInt16LE(26) & 0x3fff, 2048, "and a small one");
  await bert.page.keyboard.press("ArrowRight");
  await lightbox(bert.page).getByText("The same hill, upright").waitFor();
  await bert.page.keyboard.press("Escape");
  await box.waitFor({ state: "hidden" });
  assert.ok(await pictures(post).first().evaluate((one) => one === document.activeElement), "the keyboard is back");

  // After a new start it is drawn from what is stored.
  await bert.page.reload();
  await whole(pictures(postWith(bert.page, "From yesterday's walk.")).first());
  // From right to left.
  await bert.page.evaluate(() => localStorage.setItem("language", "ar"));
  await bert.page.reload();
  await whole(pictures(postWith(bert.page, "From yesterday's walk.")).first());
  await look(bert.page, "feed-files-arabic");
  await takeBack(page, "From yesterday's walk.");
  await pictures(bert.page).first().waitFor({ state: "detached" });
  scene.assertClean();
});

test("a file arrives as it is, goes on after a while without a network, and stands nowhere in clear", async (t) => {
  const { scene, anna, bert } = await two(t);
  const { page } = anna;
  const secret = canary("A file says");
  // Three blobs, so that there is something to go on with.
  const buffer = Buffer.concat([Buffer.from(secret), Buffer.alloc(2_600_000, 7), Buffer.from("the end")]);
  const notes = Buffer.from("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>");
  await chooser(page).setInputFiles([
    { name: "minutes.bin", mimeType: "application/x-thing", buffer },
    { name: "drawing.svg", mimeType: "image/svg+xml", buffer: notes },
    { name: "huge.bin", mimeType: "application/x-thing", buffer: Buffer.alloc(11 * 1024 * 1024) },
  ]);
  await page.getByText(like(words.files.too_large)).waitFor();
  await page.getByText(like(words.files.as_is)).nth(1).waitFor();
  assert.ok(await send(page).isDisabled(), "what cannot be sent is not left out silently");
  await items(page).nth(2).getByRole("button", { name: like(words.files.remove) }).click();
  await serviceWorkerReady(page);
  await anna.goOffline();
  await composer(page).fill("The minutes.");
  await send(page).click();
  await postWith(page, "The minutes.").getByText(words.feed.waiting).waitFor();
  await page.reload();
  await postWith(page, "The minutes.").getByText(words.feed.waiting).waitFor();
  await anna.goOnline();
  const post = postWith(bert.page, "The minutes.");
  await post.waitFor({ timeout: 30_000 });
  await waitUntilSent(page, "The minutes.", 60_000);
  await look(bert.page, "feed-file-lines");

  const line = (name) => post.locator("[data-test=file]").filter({ hasText: name }).getByRole("button");
  const got = await saved(bert.page, () => line("minutes.bin").click());
  assert.equal(got.name, "minutes.bin");
  assert.ok(got.bytes.equals(buffer), "byte for byte");
  const drawing = await saved(bert.page, () => line("drawing.svg").click());
  assert.ok(drawing.bytes.equals(notes));
  assert.equal(await post.locator("img").evaluateAll((all) => all.filter((one) => one.closest(".post-files")).length), 0);

  for (const person of [anna, bert]) {
    const { bytes } = await dumpOrigin(person.page);
    assert.deepEqual(searchBytes(bytes, { secret, name: "minutes.bin" }), [], `in ${person.name}'s storage`);
    assert.ok(bytes.length > buffer.length, "it is there all the same");
  }
  // What can be fetched again is let go, and fetched again.
  await go(bert.page, "settings-open");
  await bert.page.getByText(words.files.kept).waitFor();
  await look(bert.page, "storage-files");
  await bert.page.getByRole("button", { name: words.files.clear, exact: true }).click();
  await bert.page.getByText(words.files.kept).waitFor({ state: "detached" });
  await bert.page.getByRole("button", { name: words.app.back, exact: true }).click();
  const again = await saved(bert.page, () => line("minutes.bin").click());
  assert.ok(again.bytes.equals(buffer), "again");
  scene.assertClean();
});
