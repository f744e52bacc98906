// Pictures of what people see, and a check that people who do not see it can use it.
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

const FOLDER = "target/screens";
const SIZES = [{ width: 360, height: 780 }, { width: 1280, height: 800 }];
const SETTLED_MS = 200;
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
      // Inherited colours fade from parent to child, one after the other.
      await page.waitForTimeout(SETTLED_MS);
      const which = `${name}-${size.width}-${colorScheme}`;
      await page.screenshot({ path: join(FOLDER, `${which}.png`) });
      await accessible(page, which);
      await fits(page, which);
    }
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: null });
  await page.setViewportSize(before);
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
