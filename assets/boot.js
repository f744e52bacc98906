// Runs before anything is drawn. Takes an invite out of the address, so that no history, log or screenshot keeps it, and
// makes the only three scripts' addresses that this page ever hands to the browser.
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

  const theme = stored('theme');
  if (theme) document.documentElement.dataset.theme = theme;

  const own = ['/engine-worker.js', '/sw.js', '/keys.js'];
  const rules = { createScriptURL(path) { if (own.includes(path)) return path; throw new TypeError(path); } };
  const policy = globalThis.trustedTypes?.createPolicy('ume', rules) ?? rules;

  let worker;
  // All tabs at once, and all of a page: what it had read goes with the engine that read it.
  let channel;
  try { channel = new BroadcastChannel('ume-lock'); } catch { /* Where nothing may be stored there is nothing to lock. */ }
  const end = (erased) => {
    worker?.terminate();
    if (erased) location.replace('about:blank');
    else location.reload();
  };
  if (channel) channel.onmessage = (event) => end(event.data);
  const lock = () => { channel?.postMessage(false); end(false); };
  const leave = () => { channel?.postMessage(true); worker?.terminate(); };
  const persist = () => navigator.storage?.persist?.();
  let later;
  const keys = () => (later ??= new Promise((done, refuse) => {
    const script = document.createElement('script');
    script.src = policy.createScriptURL('/keys.js');
    script.crossOrigin = 'anonymous';
    script.integrity = document.querySelector('link[rel=later]').integrity;
    script.onload = () => done(ume.passkeys);
    script.onerror = refuse;
    document.head.append(script);
  }));
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
  const fail = () => document.getElementById('fail')?.removeAttribute('hidden');
  globalThis.ume = { engine, registration, fail, lock, leave, persist, keys, link: () => { const taken = link; link = null; return taken; } };

  const parsed = new Promise((done) => addEventListener('DOMContentLoaded', done, { once: true }));
  Promise.all([import('/ume.js'), parsed]).then(([app]) => app.default()).catch(fail);
})();
