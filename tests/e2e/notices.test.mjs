// Whoever wants to is woken when somebody writes and no page is open: by a relay that asks a push service, with words that say
// nothing; quietly in quiet hours; once; and not at all any more when they say so.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { composer, join, openInvite, post, share, startCommunity, waitUntilSent } from "./harness/app.mjs";
import { PushService, vendor } from "./harness/push-service.mjs";
import { Scene } from "./harness/scene.mjs";
import { look } from "./harness/screens.mjs";
import { go } from "./harness/walk.mjs";
import { until, watchWorkers } from "./harness/until.mjs";
import { words } from "./harness/words.mjs";

/** Time in which a push that is not to come would come. */
const SOON_MS = 2_000;

test("a device is woken, says so in its language, and no longer when it is not to", { timeout: 120_000 }, async (t) => {
  const scene = new Scene(t);
  const service = await PushService.start();
  t.after(() => service.stop());
  const relay = await scene.relay(["--push-private", service.host, "--push-roots", service.roots, "--push-delay", "50 ms", "--push-contact", "anna@example.org"]);
  const anna = await scene.person("anna");
  const bert = await scene.person("bert");
  await anna.context.addInitScript(vendor, service.subscription);
  await anna.context.grantPermissions(["notifications"], { origin: relay.origin });

  await bert.page.goto(relay.origin);
  await startCommunity(bert.page, "Lantern Street");
  await openInvite(anna.page, await share(bert.page));
  await join(anna.page);
  await go(anna.page, "settings-open");
  await section(anna.page).locator("[data-test=notices-turn]").click();
  await section(anna.page).locator("[data-test=quiet-from]").waitFor();
  await look(anna.page, "notices");
  const blank = await anna.context.newPage();
  const worker = await watch(blank);
  await bert.page.bringToFront();

  const says = async (text) => {
    await post(bert.page, text);
    await waitUntilSent(bert.page, text);
  };
  await says("You are there, so nobody is woken.");
  await new Promise((done) => setTimeout(done, SOON_MS));
  assert.deepEqual(service.got, []);

  await anna.page.close();
  // The relay notices that the connection is gone.
  await new Promise((done) => setTimeout(done, 500));
  await says("Now you are away.");
  await until(() => service.got.length === 1);
  const [{ head, path, bytes, text }] = service.got;
  assert.equal(path, "/wake/1");
  assert.equal(bytes, 615);
  assert.equal(head["content-encoding"], "aes128gcm");
  assert.match(head.authorization, /^vapid t=[\w-]+\.[\w-]+\.[\w-]+, ?k=[\w-]+$/);
  const said = JSON.parse(text);
  assert.equal(said.web_push, 8030);
  assert.equal(said.notification.navigate, "/");
  assert.equal(text.includes("Lantern"), false);
  await says("Once is enough.");
  await new Promise((done) => setTimeout(done, SOON_MS));
  assert.equal(service.got.length, 1, "not twice while nobody comes");

  // What the browser does with it.
  await worker.deliver(relay.origin, text);
  assert.deepEqual(await worker.shown(), [{ title: "ume", body: words.notices.something, silent: false }]);

  anna.page = await anna.context.newPage();
  await anna.page.goto(relay.origin);
  await composer(anna.page).waitFor();
  await go(anna.page, "settings-open");
  const hour = new Date().getHours();
  await section(anna.page).locator("[data-test=quiet-from]").selectOption(String(hour));
  await section(anna.page).locator("[data-test=quiet-to]").selectOption(String((hour + 2) % 24));
  await until(() => anna.page.evaluate(async (wanted) => {
    const kept = await (await caches.open("ume-notice")).match("/notice");
    return (await kept.json()).hours.join() === wanted;
  }, [hour, (hour + 2) % 24].join()));
  const speaks = async (language) => {
    await anna.page.locator("[data-test=language]").selectOption(language);
    const { notices } = JSON.parse(await readFile(`locales/${language}.json`, "utf8"));
    await until(() => anna.page.evaluate(async (wanted) => {
      const kept = await (await caches.open("ume-notice")).match("/notice");
      return (await kept.json()).body === wanted;
    }, notices.something));
  };
  await speaks("de");
  await speaks("en");
  await anna.page.close();
  await worker.deliver(relay.origin, text);
  assert.deepEqual(await worker.shown(), [{ title: "ume", body: words.notices.something, silent: true }]);

  anna.page = await anna.context.newPage();
  await anna.page.goto(relay.origin);
  await composer(anna.page).waitFor();
  await go(anna.page, "settings-open");
  await section(anna.page).locator("[data-test=notices-turn]").click();
  await section(anna.page).locator("[data-test=quiet-from]").waitFor({ state: "detached" });
  await until(async () => (await anna.page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)) === 1);
  await anna.page.close();
  await new Promise((done) => setTimeout(done, 500));
  await says("Not for you.");
  await new Promise((done) => setTimeout(done, SOON_MS));
  assert.equal(service.got.length, 1, "never again");
  scene.assertClean();
});

const section = (page) => page.locator("[data-test=notices]");

/** The worker that hears for the first relay, through the browser's own debugging protocol. */
async function watch(page) {
  const { devtools, known } = await watchWorkers(page);
  const inside = () => page.context().serviceWorkers().find((one) => one.url().endsWith("/push.js"));
  // One for each relay, named by the relay's key: a point of P-256 (RFC 8292, section 3.2).
  const here = (origin) => [...known].find(([scope]) => scope.startsWith(`${origin}/push/04`))?.[1];
  return {
    deliver: (origin, data) => devtools.send("ServiceWorker.deliverPushMessage", { origin, registrationId: here(origin), data }),
    async shown() {
      await until(async () => inside() && (await inside().evaluate(async () => (await registration.getNotifications()).length)) === 1);
      const all = await inside().evaluate(async () => (await registration.getNotifications()).map(({ title, body, silent }) => ({ title, body, silent: Boolean(silent) })));
      await inside().evaluate(async () => (await registration.getNotifications()).forEach((one) => one.close()));
      return all;
    },
  };
}
