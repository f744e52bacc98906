// `cargo xtask pictures`: every page in both directions, at both widths, in both themes, as it is and twice as large.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Scene } from "./harness/scene.mjs";
import { picture } from "./harness/screens.mjs";
import { walk } from "./harness/walk.mjs";
import { speak } from "./harness/words.mjs";

const FOLDER = process.env.UME_PICTURES ?? "target/pictures";

for (const [language, direction] of [["en", "ltr"], ["ar", "rtl"]]) {
  test(`pictures, ${direction}`, { timeout: 900_000 }, async (t) => {
    const folder = join(FOLDER, direction);
    await mkdir(folder, { recursive: true });
    await speak(language);
    const scene = new Scene(t);
    const relay = await scene.relay();
    const [anna, bert] = [await scene.person("anna", { locale: language }), await scene.person("bert", { locale: language })];
    await walk({ anna, bert, relay }, (page, name) => picture(page, name, folder));
    scene.assertClean();
  });
}
