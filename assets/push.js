// Hears for one relay that there is something new while no page is open, and says so. It learns nothing else. What it says is
// always the same; the words for it a page left here, in its person's language.
const kept = async () => {
  const found = await (await caches.open("ume-notice")).match("/notice");
  return found ? found.json() : {};
};

/** Whether it is a time at which nothing is to be heard: hours of the day, from and to. */
const quiet = ([from, to] = [0, 0]) => {
  const hour = new Date().getHours();
  return from <= to ? hour >= from && hour < to : hour >= from || hour < to;
};

const pages = async () => {
  const all = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  return all.filter(({ url }) => new URL(url).origin === location.origin);
};

async function tell() {
  // Who looks at the app sees it there.
  if ((await pages()).some(({ visibilityState }) => visibilityState === "visible")) return;
  const { title = "ume", body, hours } = await kept();
  const silent = quiet(hours);
  await self.registration.showNotification(title, { body, tag: "ume", icon: "/icons/ume-192.png", silent, renotify: !silent });
  await navigator.setAppBadge?.().catch(() => {});
}

async function open() {
  const [page] = await pages();
  if (page) await page.focus();
  else await self.clients.openWindow("/");
}

self.addEventListener("install", () => self.skipWaiting());
// A page of ours that nobody looks at has something new: relays wake nobody who is connected.
self.addEventListener("message", (event) => event.waitUntil(tell()));
self.addEventListener("push", (event) => event.waitUntil(tell()));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open());
});
