// Relays and people of one test, ended with it; and what holds for every test.
import assert from "node:assert/strict";
import { Person } from "./person.mjs";
import { Relay } from "./relay.mjs";

/** Whom Chromium calls on its own account, whatever page it shows; gvt1.com has its spelling dictionaries. */
const OF_THE_BROWSER = /(^|\.)(google|googleapis|gstatic|gvt1)\.com(:\d+)?$/;

export class Scene {
  /** @param {import("node:test").TestContext} test */
  constructor(test) {
    this.relays = [];
    this.people = [];
    test.after(() => this.end());
  }

  async relay(more) {
    const relay = await Relay.start(more);
    this.relays.push(relay);
    return relay;
  }

  async person(name, options) {
    const person = await Person.meet(name, options);
    this.people.push(person);
    return person;
  }

  /** The last thing that a test does. No screen broke the page's own rules, and nobody was called but the relays involved. */
  assertClean() {
    const involved = new Set(this.relays.map((relay) => relay.listen));
    for (const { name, faults, network } of this.people) {
      assert.deepEqual(faults, [], `violations in ${name}'s browser`);
      const strangers = [...network.called].filter((host) => !involved.has(host) && !OF_THE_BROWSER.test(host));
      assert.deepEqual(strangers, [], `${name}'s browser called somebody else`);
    }
    this.passed = true;
  }

  async end() {
    if (!this.passed) await Promise.all(this.people.map(tell));
    await Promise.all(this.people.map((person) => person.leave()));
    await Promise.all(this.relays.map((relay) => relay.stop()));
  }
}

/** What somebody saw when the test failed. */
async function tell({ name, page, faults }) {
  const seen = await page?.locator("body").innerText({ timeout: 2_000 }).catch((error) => `(${error.message})`);
  console.log(`${name} saw at ${page?.url().split("#")[0]}: ${seen?.replaceAll(/\s+/g, " ")} ${faults.join(" ")}`);
}
