// Pictures of what people see, and what would keep some of them from using it.
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

const FOLDER = "target/screens";
const SIZES = [{ width: 360, height: 780 }, { width: 1280, height: 800 }];
const THEMES = ["light", "dark"];
const STILL_FRAMES = 10;
/** Side of what a finger has to hit, px. */
const TARGET = 44;
/** Taller pictures show no more. */
const HEIGHT_MAX = 6_000;
const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** Takes a screen at both widths in both themes, and finds nothing wrong with any of the four. */
export async function look(page, name) {
  await mkdir(FOLDER, { recursive: true });
  await everyWay(page, { zooms: [1] }, async ({ width, colorScheme }) => {
    const which = `${name}-${width}-${colorScheme}`;
    await page.screenshot({ path: join(FOLDER, `${which}.png`) });
    assert.deepEqual([...(await barred(page)), ...(await wide(page))], [], `what is wrong with ${which}`);
  });
}

/** What is wrong with a screen at both widths in both themes, as it is and twice as large. */
export async function inspect(page, name) {
  const found = [];
  await everyWay(page, {}, async ({ width, colorScheme, zoom }) => {
    const narrow = width === SIZES[0].width;
    const faults = [...(await barred(page)), ...(await wide(page)), ...(narrow && zoom === 1 ? await small(page) : [])];
    found.push(...faults.map((fault) => `${name} ${width} ${colorScheme} ${zoom}x: ${fault}`));
  });
  return found;
}

/** Pictures of a screen in all these ways, whole, into a folder. */
export async function picture(page, name, folder) {
  await everyWay(page, {}, async ({ width, colorScheme, zoom }) => {
    const before = page.viewportSize();
    const height = await page.evaluate(needed);
    await page.setViewportSize({ width: before.width, height: Math.min(HEIGHT_MAX, Math.max(before.height, height)) });
    await page.evaluate(settled, STILL_FRAMES);
    await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}-${zoom}x.png`) });
    await page.setViewportSize(before);
  });
}

/**
 * A screen at both widths in both themes, as it is and twice as large. On a wide screen that is what a browser's zoom does: half
 * as many pixels for the page. On a phone it is the size of the text, and the width stays.
 */
async function everyWay(page, { zooms = [1, 2] }, visit) {
  const before = page.viewportSize();
  const devtools = await page.context().newCDPSession(page);
  for (const { width, height } of SIZES) {
    const narrow = width === SIZES[0].width;
    // Phones are tapped.
    await devtools.send("Emulation.setTouchEmulationEnabled", { enabled: narrow });
    for (const zoom of zooms) {
      await page.setViewportSize(narrow ? { width, height } : { width: width / zoom, height: height / zoom });
      await page.evaluate((size) => { document.documentElement.style.fontSize = size; }, narrow && zoom > 1 ? `${zoom * 100}%` : "");
      for (const colorScheme of THEMES) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.evaluate(settled, STILL_FRAMES);
        await visit({ width, colorScheme, zoom });
      }
    }
  }
  await page.evaluate(() => { document.documentElement.style.fontSize = ""; });
  await page.emulateMedia({ colorScheme: "light", reducedMotion: null });
  await page.setViewportSize(before);
  // Without the session nothing is emulated any more: no fingers, and no virtual authenticator either.
  await devtools.detach();
}

/** In the page: until nothing has moved for some frames. Inherited colours fade from parent to child, one by one. */
async function settled(frames) {
  for (let still = 0; still < frames; still += 1) {
    await new Promise(requestAnimationFrame);
    if (document.getAnimations().some((animation) => animation.playState === "running")) still = 0;
  }
}

/** In the page: how high the window has to be for nothing to be scrolled away. */
function needed() {
  const hidden = [...document.querySelectorAll("*")].map((one) => {
    const scrolls = /auto|scroll/.test(getComputedStyle(one).overflowY);
    return scrolls && one.getClientRects().length > 0 ? one.scrollHeight - one.clientHeight : 0;
  });
  return Math.max(document.documentElement.scrollHeight, innerHeight + Math.max(0, ...hidden));
}

/** What bars somebody from using it. */
async function barred(page) {
  if (await page.evaluate(() => !globalThis.axe)) await page.evaluate(AXE);
  return page.evaluate(async (values) => {
    const result = await axe.run(document, { runOnly: { type: "tag", values }, resultTypes: ["violations"] });
    return result.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" | ")}`);
  }, RULES);
}

/** What sticks out sideways, of the window or of a part that scrolls. Lines of code keep their shape, and scroll. */
export function wide(page) {
  return page.evaluate(() => {
    const root = document.documentElement;
    const parts = [...document.querySelectorAll("*:not(pre)")].filter((one) => /auto|scroll/.test(getComputedStyle(one).overflowX));
    const wide = parts.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => `${one.className} ${one.scrollWidth} in ${one.clientWidth}`);
    if (root.scrollWidth <= innerWidth) return wide;
    const out = [...document.body.querySelectorAll("*")].filter((one) => {
      const { left, right, width } = one.getBoundingClientRect();
      return width > 1 && (right > innerWidth + 1 || left < -1);
    });
    const named = out.slice(-3).map((one) => `${one.tagName} ${one.className.baseVal ?? one.className} ${one.textContent.slice(0, 40)}`);
    return [`the page is ${root.scrollWidth} px wide, the window ${innerWidth}: ${named.join(" | ")}`, ...wide];
  });
}

/** What a finger may not hit; words within a text may be as small as the text. */
function small(page) {
  return page.evaluate((least) => {
    const open = document.querySelector("dialog[open]") ?? document;
    const taps = open.querySelectorAll("button, a[href], select, summary, input, textarea, [role=button]");
    return [...taps].flatMap((one) => {
      const place = one.closest("label") ?? one;
      let { width, height } = place.getBoundingClientRect();
      // What is drawn small may take taps around it.
      const around = getComputedStyle(one, "::after");
      if (around.position === "absolute" && around.content !== "none") {
        width = Math.max(width, parseFloat(around.width) || 0);
        height = Math.max(height, parseFloat(around.height) || 0);
      }
      const { position, display, clipPath } = getComputedStyle(one);
      const hidden = width === 0 || height === 0 || (position === "absolute" && clipPath !== "none") || one.closest(".skip, .unseen");
      const inText = display === "inline" && one.closest("p");
      if (hidden || inText || (width >= least - 0.5 && height >= least - 0.5)) return [];
      return [`${Math.round(width)} x ${Math.round(height)}: ${one.outerHTML.slice(0, 160)}`];
    });
  }, TARGET);
}
