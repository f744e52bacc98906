// Every link that cannot be followed has a screen that says why and what to do, and harms nothing.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { firstScreen, join, openInvite, pasteInvite, share, startCommunity } from "./harness/app.mjs";
import { cut, newer, unknown } from "./harness/links.mjs";
import { Person } from "./harness/person.mjs";
import { Relay } from "./harness/relay.mjs";
import { look } from "./harness/screens.mjs";
import { words } from "./harness/words.mjs";

/** The engine tries a relay again and again before it says that there is none. */
const UNREACHABLE_MS = 30_000;

/** No choice is shorter than a day: on its way to the engine the day becomes a second. */
function daysAreSeconds() {
  const [day, second] = [[1, 0x80, 0xa3, 0x05], [1, 1]]; // `Some(86_400)` and `Some(1)` as crates/api encodes them
  const send = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function postMessage(message, ...rest) {
    const bytes = ArrayBuffer.isView(message) ? [...message] : [];
    const at = bytes.findIndex((_, start) => day.every((byte, offset) => bytes[start + offset] === byte));
    if (at < 0) return send.call(this, message, ...rest);
    bytes.splice(at, day.length, ...second);
    return send.call(this, new Uint8Array(bytes));
  };
}

describe("a link that cannot be followed", () => {
  let relay, elsewhere, founder, bert, link;

  before(async () => {
    [relay, elsewhere] = [await Relay.start(), await Relay.start()];
    [founder, bert] = [await Person.meet("founder", { beforePage: daysAreSeconds }), await Person.meet("bert")];
    await founder.page.goto(relay.origin);
    await startCommunity(founder.page, "Lantern Street");
    link = await share(founder.page);
  });

  after(async () => {
    await Promise.all([founder.leave(), bert.leave()]);
    await Promise.all([relay.stop(), elsewhere.stop()]);
  });

  /** What somebody sees who opens a link. */
  async function opens(person, bad, failure, action) {
    await person.page.goto("about:blank");
    await person.page.goto(bad);
    await failureShown(person.page, failure);
    assert.ok(await person.page.getByRole("button", { name: action }).or(person.page.getByRole("link", { name: action })).isVisible());
    await look(person.page, failure.replaceAll("_", "-"));
    assert.deepEqual(person.faults, []);
  }

  const failureShown = (page, failure) =>
    page.getByText(words.failure[`${failure}_text`]).waitFor({ timeout: UNREACHABLE_MS });

  test("cut short", () => opens(bert, cut(link), "link_broken", words.action.paste));
  test("of a newer version", () => opens(bert, newer(link), "link_newer", words.action.update));
  test("to an invite that nobody made", () => opens(bert, unknown(link), "invite_unknown", words.action.paste));
  test("pasted and no link at all", async () => {
    await bert.page.goto(relay.origin);
    await firstScreen(bert.page).waitFor();
    await pasteInvite(bert.page, "see you at seven");
    await failureShown(bert.page, "link_broken");
  });

  test("expired", async () => {
    const day = await share(founder.page, { expires: words.share.day });
    await founder.page.waitForTimeout(2_000);
    await opens(bert, day, "invite_expired", words.action.paste);
  });

  test("used up", async () => {
    const once = await share(founder.page, { uses: words.share.one });
    const carla = await Person.meet("carla");
    await openInvite(carla.page, once);
    await join(carla.page);
    await carla.leave();
    await opens(bert, once, "invite_used_up", words.action.paste);
  });

  test("to a relay that does not answer", async () => {
    await relay.kill();
    await bert.page.goto(elsewhere.origin);
    await pasteInvite(bert.page, link);
    await failureShown(bert.page, "relay_unreachable");
    await look(bert.page, "relay-unreachable");
    await relay.run();
    await bert.page.getByRole("button", { name: words.action.retry }).click();
    await bert.page.getByRole("button", { name: words.redeem.join, exact: true }).waitFor();
  });
});
