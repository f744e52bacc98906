// Texts of somebody who means harm: nothing of them runs, nothing is fetched, and the page keeps its shape.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { composer, join, openInvite, post, postWith, share, startCommunity } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";
import { look } from "./harness/screens.mjs";

const CASES = JSON.parse(await readFile("tests/e2e/hostile.json", "utf8"));
const NAME = '<img src=x onerror="window.pwned=1">';
const AT_ONCE = 60;

test("hostile texts do nothing, and hold the layout at 360 px", { timeout: 600_000 }, async (t) => {
  assert.ok(CASES.length >= 300, `${CASES.length} cases`);
  const scene = new Scene(t);
  const relay = await scene.relay();
  const [anna, bert] = [await scene.person("anna"), await scene.person("bert")];
  await anna.page.goto(relay.origin);
  await startCommunity(anna.page, NAME, "\u202eAnna <b>");
  const link = await share(anna.page);
  const { page } = bert;
  const fetched = [];
  page.on("request", (request) => fetched.push(request.url()));
  page.on("dialog", (dialog) => {
    bert.faults.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.setViewportSize({ width: 360, height: 740 });
  await openInvite(page, link);
  await join(page, NAME);

  for (let from = 0; from < CASES.length; from += AT_ONCE) {
    await composer(anna.page).evaluate(async (field, texts) => {
      for (const text of texts) {
        field.value = text;
        field.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise((done) => setTimeout(done));
        field.form.requestSubmit();
        await new Promise((done) => setTimeout(done));
      }
    }, CASES.slice(from, from + AT_ONCE));
    const mark = `sentinel ${from}`;
    await post(anna.page, mark);
    await postWith(page, mark).waitFor({ timeout: 60_000 });
    const found = await page.evaluate(examine);
    assert.deepEqual(found, [], `cases from ${from}`);
  }
  const foreign = fetched.filter((url) => !url.startsWith(relay.origin) && !/^(blob|data):/.test(url));
  assert.deepEqual(foreign, []);
  await post(anna.page, "# Soup\n\n> at *seven*\n\n1. bring a `spoon`\n2. and [a map](https://map.example/x)\n\n```\nlet soup = hot();\n```");
  await post(anna.page, "Look: https://\u0430pple.example/ and in\u202evoice");
  await postWith(page, "Look:").waitFor();
  await look(page, "rich");
  scene.assertClean();
});

/** In the page: what is wrong with it. */
function examine() {
  const wrong = [];
  if (globalThis.pwned) wrong.push("a script ran");
  const posts = document.querySelector(".posts");
  const allowed = new Set("A ARTICLE B BDI BLOCKQUOTE BR BUTTON CODE DIV EM HEADER HR IMG LI OL P PATH PRE RECT S SPAN STRONG SVG TIME UL G CIRCLE".split(" "));
  for (const one of posts.querySelectorAll("*")) {
    if (!allowed.has(one.tagName.toUpperCase())) wrong.push(`an element ${one.tagName}`);
    for (const { name, value } of one.attributes) {
      if (name.startsWith("on") || name === "style" || name === "srcdoc") wrong.push(`${one.tagName} ${name}=${value}`);
    }
    if (one.tagName === "IMG" && !one.src.startsWith("blob:")) wrong.push(`a picture ${one.src}`);
    if (one.tagName === "A") {
      if (!/^https?:\/\//i.test(one.getAttribute("href"))) wrong.push(`a link to ${one.getAttribute("href")}`);
      if (one.rel !== "noopener noreferrer" || one.target !== "_blank") wrong.push("a link that tells of us");
    }
  }
  if (document.documentElement.scrollWidth > innerWidth) wrong.push(`${document.documentElement.scrollWidth} px wide`);
  const box = document.querySelector(".timeline-box");
  if (box.scrollWidth > box.clientWidth) wrong.push(`the feed is ${box.scrollWidth} px wide in ${box.clientWidth}`);
  return wrong;
}
