// The service worker's shell: listeners must exist at once, the wasm comes later. All decisions are in service.wasm, except
// the one that cannot wait: which requests are ours.
const SCRIPTS = ["/asset-manifest.js", "/service.js"];
const exact = (url) => {
  if (SCRIPTS.includes(url)) return url;
  throw new TypeError("not one of our scripts");
};
const policy = self.trustedTypes
  ? self.trustedTypes.createPolicy("ume", { createScriptURL: exact })
  : { createScriptURL: exact };
importScripts(...SCRIPTS.map((url) => policy.createScriptURL(url)));

const WASM = "/service_bg.wasm";
let started;
// From the cache first: the browser keeps imported scripts with the registration, but not the wasm.
const ready = () =>
  (started ??= caches
    .match(WASM)
    .then((kept) => wasm_bindgen({ module_or_path: kept ?? fetch(WASM) }))
    .then(() => wasm_bindgen)
    .catch((error) => {
      started = undefined;
      throw error;
    }));

self.addEventListener("install", (event) => event.waitUntil(ready().then((wasm) => wasm.on_install())));
self.addEventListener("activate", (event) => event.waitUntil(ready().then((wasm) => wasm.on_activate())));
self.addEventListener("message", (event) => {
  if (event.data === "SKIP_WAITING") event.waitUntil(self.skipWaiting());
});
// What the engine left to be sent. The page asks for it whenever it goes out of sight, whether or not anything waits.
self.addEventListener("sync", (event) => event.waitUntil(ready().then((wasm) => wasm.on_sync())));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || url.pathname.startsWith("/v1/")) return;
  event.respondWith(ready().then((wasm) => wasm.on_fetch(request)).catch(() => fetch(request)));
});
