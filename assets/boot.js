// Runs before anything is drawn. Takes an invite out of the address, so that no history, log or screenshot keeps it,
// fetches the texts, and makes the only two scripts' addresses that this page ever hands to the browser.
(() => {
  const carries = () => /^\/j\/?$/.test(location.pathname) || /^#\d+\./.test(location.hash);
  const stored = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  let link = null;
  const take = () => {
    if (carries()) link = location.href;
    if (location.pathname + location.search + location.hash !== '/') history.replaceState(null, '', '/');
  };
  take();
  addEventListener('hashchange', () => { take(); if (link) dispatchEvent(new Event('ume-link')); });

  for (const what of ['theme', 'contrast', 'size', 'spacing']) {
    const chosen = stored(what);
    if (chosen) document.documentElement.dataset[what] = chosen;
  }

  // The texts of one language, fetched while the app is: the one chosen, else the first that the browser prefers and we have.
  const tables = { en: '/words/en.txt', de: '/words/de.txt', es: '/words/es.txt', ar: '/words/ar.txt' };
  const read = async (name) => {
    const answer = await fetch(tables[name]);
    if (!answer.ok) throw new Error(name);
    return { name, table: await answer.text() };
  };
  const preferred = [stored('language'), ...navigator.languages].map((tag) => tag?.split('-')[0]);
  const language = preferred.find((name) => Object.hasOwn(tables, name)) ?? 'en';
  document.documentElement.lang = language;
  const words = read(language).catch(() => read('en'));

  const own = ['/engine-worker.js', '/sw.js'];
  const rules = { createScriptURL(path) { if (own.includes(path)) return path; throw new TypeError(path); } };
  const policy = globalThis.trustedTypes?.createPolicy('ume', rules) ?? rules;

  let worker;
  const engine = () => (worker ??= new Worker(policy.createScriptURL('/engine-worker.js'), { type: 'module' }));
  // Somebody new looks at the first screen first; everybody else waits for the engine.
  if (link || stored('known')) engine();
  const wake = () => { if (!document.hidden) worker?.postMessage('wake'); };
  addEventListener('visibilitychange', wake);
  addEventListener('online', wake);

  const loaded = new Promise((done) => addEventListener('load', done, { once: true }));
  const registration = loaded
    .then(() => navigator.serviceWorker?.register(policy.createScriptURL('/sw.js'), { updateViaCache: 'none' }))
    .catch(() => undefined);
  // Only where the server can be reached, or nothing would be left to load.
  const renew = async () => {
    const { ok } = await fetch('/sw.js', { cache: 'reload' });
    if (!ok) throw new Error('no server');
    for (const name of await caches.keys()) await caches.delete(name);
    await (await registration)?.unregister();
    location.reload();
  };
  const fail = () => document.getElementById('fail')?.removeAttribute('hidden');
  globalThis.ume = { engine, registration, fail, read, renew, link: () => { const taken = link; link = null; return taken; } };

  const parsed = new Promise((done) => addEventListener('DOMContentLoaded', done, { once: true }));
  Promise.all([import('/ume.js'), words, parsed]).then(([app, words]) => { globalThis.ume.words = words; return app.default(); }).catch(fail);
})();
