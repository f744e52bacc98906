// Every page in both directions, at both widths, in both themes, as it is and twice as large: nothing inaccessible, nothing
// sideways, nothing too small to tap.
import assert from "node:assert/strict";
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
    const found = [];
    await walk({ anna, bert, relay }, async (page, name) => found.push(...(await inspect(page, name))));
    assert.deepEqual(found, [], "what is wrong");
    scene.assertClean();
  });
}
