// Every link that cannot be followed has a screen that says why and what to do, and harms nothing.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { firstScreen, join, openInvite, pasteInvite, share, startCommunity } from "./harness/app.mjs";
import { cut, newer, unknown } from "./harness/links.mjs";
import { Person } from "./harness/person.mjs";
import { Relay } from "./harness/relay.mjs";
import { look } from "./harness/screens.mjs";
import { words } from "./harness/words.mjs";

const TWO_DAYS_AHEAD = `{
  const now = Date.now.bind(Date);
  Date.now = () => now() + 2 * 24 * 3600 * 1000;
}`;

describe("a link that cannot be followed", () => {
  let relay, founder, bert, link;

  before(async () => {
    relay = await Relay.start();
    [founder, bert] = [await Person.meet("founder"), await Person.meet("bert")];
    await founder.page.goto(relay.origin);
    await startCommunity(founder.page, "Lantern Street");
    link = await share(founder.page);
  });

  after(async () => {
    await Promise.all([founder.leave(), bert.leave()]);
    await relay.stop();
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

  const failureShown = (page, failure) => page.getByText(words.failure[`${failure}_text`]).waitFor();

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
    const late = await Person.meet("late", { beforeWorker: TWO_DAYS_AHEAD });
    await opens(late, day, "invite_expired", words.action.paste);
    await late.leave();
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
    const elsewhere = await Relay.start();
    await relay.kill();
    await bert.page.goto(elsewhere.origin);
    await pasteInvite(bert.page, link);
    await failureShown(bert.page, "relay_unreachable");
    await look(bert.page, "relay-unreachable");
    await relay.run();
    await bert.page.getByRole("button", { name: words.action.retry }).click();
    await bert.page.getByRole("button", { name: words.redeem.join, exact: true }).waitFor();
    await elsewhere.stop();
  });
});
