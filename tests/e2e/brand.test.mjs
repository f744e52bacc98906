// A host's own name, colours, icon, languages and notice: one file, and the same app.
import assert from "node:assert/strict";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { composer, firstScreen, share, startCommunity } from "./harness/app.mjs";
import { Scene } from "./harness/scene.mjs";
import { inspect, look } from "./harness/screens.mjs";
import { go } from "./harness/walk.mjs";
import { speak, words } from "./harness/words.mjs";

const BRAND = {
  name: "Harbour",
  icon: "harbour.svg",
  colours: { light: { accent: "#1f6f5c", on_accent: "#ffffff" }, dark: { accent: "#7fd6bf", on_accent: "#06231c" } },
  languages: ["de", "en"],
  notice: { en: "Run by the harbour's residents.", de: "Betrieben von den Leuten am Hafen." },
};
const ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><path fill="#1f6f5c" d="M32 6v34M12 34a20 20 0 0 0 40 0z" stroke="#1f6f5c" stroke-width="6"/></svg>';

async function brandFile(change = {}) {
  const folder = await mkdtemp(join(tmpdir(), "ume-brand-"));
  await writeFile(join(folder, "harbour.svg"), ICON);
  await writeFile(join(folder, "brand.json"), JSON.stringify({ ...BRAND, ...change }));
  return join(folder, "brand.json");
}

/** What can be tapped is drawn in this colour. */
const accent = (page) => page.evaluate(() => {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = "var(--plum)";
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
});

test("another brand", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay(["--brand", await brandFile()]);
  // Somebody whose language this host does not offer gets its first one.
  const anna = await scene.person("anna", { locale: "es" });
  const { page } = anna;
  await speak("de");
  await page.goto(relay.origin);
  await firstScreen(page).waitFor();
  assert.equal(await page.title(), "Harbour");
  await page.getByText(BRAND.notice.de).waitFor();
  assert.match(await page.locator(".lead").textContent(), /^Harbour /, "texts say the name");
  assert.deepEqual(await inspect(page, "brand-welcome"), []);
  await look(page, "brand-welcome");
  await startCommunity(page, "Mole", "Anna");
  await share(page);
  await page.locator(".side-brand").getByText("Harbour", { exact: true }).waitFor();
  assert.equal(await page.locator(".side-brand img").getAttribute("src"), "/brand-icon.svg");
  assert.equal(await accent(page), "rgb(31, 111, 92)");
  await page.emulateMedia({ colorScheme: "dark" });
  assert.equal(await accent(page), "rgb(127, 214, 191)");
  await page.emulateMedia({ colorScheme: "light" });
  assert.deepEqual(await inspect(page, "brand-feed"), []);
  await look(page, "brand-feed");
  await go(page, "settings-open");
  assert.deepEqual(await page.locator("[data-test=language] option").allTextContents(), ["English", "Deutsch"]);
  await page.locator("[data-test=language]").selectOption("en");
  await speak("en");
  await page.getByRole("heading", { level: 1, name: words.settings.title }).waitFor();
  await page.locator("[data-test=about]").getByText("Harbour", { exact: true }).waitFor();

  const manifest = await page.evaluate(async () => (await fetch("/manifest.webmanifest", { cache: "reload" })).json());
  assert.deepEqual([manifest.name, manifest.short_name, manifest.theme_color, manifest.icons[0].src], ["Harbour", "Harbour", "#1f6f5c", "/brand-icon.svg"]);

  // Without a network it is the same.
  await page.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated");
  await relay.kill();
  await page.reload();
  await composer(page).waitFor();
  assert.equal(await accent(page), "rgb(31, 111, 92)");
  await relay.run();
  scene.assertClean();
});

test("what cannot be is said before the relay starts", async (t) => {
  const scene = new Scene(t);
  const relay = await scene.relay();
  const pale = { ...BRAND.colours, light: { accent: "#9fd6bf", on_accent: "#ffffff" } };
  const wrong = await brandFile({ colours: pale, relay: "ftp://nowhere" });
  const checked = await relay.command("check-config", "--app", relay.app, "--brand", wrong).catch((error) => error);
  const said = `${checked.stdout}${checked.stderr}`;
  assert.match(said, /colours\.light\.accent on the app's ground: a contrast of 1\.\d, at least 4\.5 is needed/);
  assert.match(said, /relay: an address like/);
  scene.assertClean();
});
