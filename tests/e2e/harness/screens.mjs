// Pictures of what people see, and a check that people who do not see it can use it.
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

const FOLDER = "target/screens";
const SIZES = [{ width: 360, height: 780 }, { width: 1280, height: 800 }];
const STILL_FRAMES = 10;
const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** Takes a screen at both widths in both themes, and finds nothing wrong with any of the four. */
export async function look(page, name) {
  await mkdir(FOLDER, { recursive: true });
  const before = page.viewportSize();
  for (const size of SIZES) {
    await page.setViewportSize(size);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.evaluate(settled, STILL_FRAMES);
      const which = `${name}-${size.width}-${colorScheme}`;
      await page.screenshot({ path: join(FOLDER, `${which}.png`) });
      await accessible(page, which);
      await fits(page, which);
    }
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: null });
  await page.setViewportSize(before);
}

/** In the page: until nothing has moved for some frames. Inherited colours fade from parent to child, one by one. */
async function settled(frames) {
  for (let still = 0; still < frames; still += 1) {
    await new Promise(requestAnimationFrame);
    if (document.getAnimations().some((animation) => animation.playState === "running")) still = 0;
  }
}

async function accessible(page, which) {
  await page.evaluate(AXE);
  const violations = await page.evaluate(async (values) => {
    const result = await axe.run(document, { runOnly: { type: "tag", values } });
    return result.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" | ")}`);
  }, RULES);
  assert.deepEqual(violations, [], `${which} is not accessible`);
}

/** Nothing sticks out sideways. */
async function fits(page, which) {
  const [needs, has] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(needs <= has, `${which} is ${needs} px wide, the window ${has}`);
}
