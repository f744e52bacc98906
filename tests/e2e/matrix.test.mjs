// Every page in both directions, at both widths, in both themes, as it is and twice as large: nothing inaccessible, nothing
// sideways, nothing too small to tap.
import { test } from "node:test";
import { Scene } from "./harness/scene.mjs";
import { inspect } from "./harness/screens.mjs";
import { walk } from "./harness/walk.mjs";
import { speak } from "./harness/words.mjs";

for (const language of ["en", "ar"]) {
  test(`every page in every way, in ${language}`, { timeout: 600_000 }, async (t) => {
    await speak(language);
    const scene = new Scene(t);
    const relay = await scene.relay();
    const [anna, bert] = [await scene.person("anna", { locale: language }), await scene.person("bert", { locale: language })];
    await walk({ anna, bert, relay }, (page, name) => inspect(page, `${name}-${language}`));
    scene.assertClean();
  });
}
