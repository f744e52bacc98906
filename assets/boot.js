// Runs before anything is drawn. Takes an invite out of the address, so that no history, log or screenshot keeps it,
// fetches the texts, and makes the only three scripts' addresses that this page ever hands to the browser.
(() => {
  const carries = () => /^\/j\/?$/.test(location.pathname) || /^#\d+\./.test(location.hash);
  const stored = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const root = document.documentElement;
  // Where a shortcut of the installed app leads.
  const goal = new URLSearchParams(location.search).get('go');
  let link = null;
  const take = () => {
    if (carries()) link = location.href;
    if (location.pathname + location.search + location.hash !== '/') history.replaceState(null, '', '/');
  };
  take();
  addEventListener('hashchange', () => { take(); if (link) dispatchEvent(new Event('ume-link')); });

  for (const what of ['theme', 'contrast', 'size', 'spacing']) {
    const chosen = stored(what);
    if (chosen) root.dataset[what] = chosen;
  }

  const parsed = new Promise((done) => addEventListener('DOMContentLoaded', done, { once: true }));

  // A host may give its copy another name and other colours (docs/operate.md). What it said last holds until it says it again.
  const asked = fetch('/brand.json').then((answer) => (answer.ok ? answer.text() : '{}')).catch(() => stored('brand') ?? '{}');
  asked.then((text) => { try { localStorage.setItem('brand', text); } catch {} });
  const brand = Promise.resolve(stored('brand') ?? asked).then(JSON.parse).catch(() => ({}));
  brand.then(({ colours, icon }) => {
    const dress = (name, of) => root.style.setProperty(`--${name}`, `light-dark(${of(colours.light, 'black')}, ${of(colours.dark, 'white')})`);
    const mixed = (share, into) => ([accent], far) => `color-mix(in oklab, ${accent} ${share}%, ${into ?? far})`;
    if (colours) {
      dress('plum', ([accent]) => accent);
      dress('on-plum', ([, on]) => on);
      dress('plum-strong', mixed(82));
      dress('plum-wash', mixed(9, 'var(--ground)'));
      dress('plum-edge', mixed(32, 'var(--ground)'));
    }
    if (icon) parsed.then(() => document.querySelectorAll('link[rel*=icon], #splash img').forEach((one) => { one[one.src === undefined ? 'href' : 'src'] = icon; }));
  });

  // The texts of one language, fetched while the app is: the one chosen, else the first that the browser prefers and we have.
  const tables = { en: '/words/en.txt', de: '/words/de.txt', es: '/words/es.txt', ar: '/words/ar.txt' };
  const read = async (name) => {
    const [answer, { name: called }] = await Promise.all([fetch(tables[name]), brand]);
    if (!answer.ok) throw new Error(name);
    const table = await answer.text();
    // Access keys are called the same everywhere.
    return { name, table: called ? table.replaceAll(/\bume\b(?![-\u2011])/g, () => called) : table };
  };
  const preferred = [stored('language'), ...navigator.languages].map((tag) => tag?.split('-')[0]);
  const pick = (among) => preferred.find((name) => among.includes(name)) ?? among[0];
  const all = Object.keys(tables);
  const offered = ({ languages }) => languages?.filter((name) => all.includes(name)) ?? all;
  root.lang = pick(all);
  const first = read(root.lang);
  // Whoever waits for it hears of it; nobody may.
  first.catch(() => {});
  const words = brand
    .then((brand) => { const name = pick(offered(brand)); return name === root.lang ? first : read(name); })
    .catch(() => read('en'));

  const own = ['/engine-worker.js', '/sw.js', '/keys.js', '/bell.js', '/push.js', '/pictures.js'];
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
  // Scripts for what few do, loaded when somebody does it; `name` is what they bring.
  const brought = {};
  const bring = (path, name) => (brought[name] ??= new Promise((done, refuse) => {
    const script = document.createElement('script');
    script.src = policy.createScriptURL(path);
    script.crossOrigin = 'anonymous';
    script.integrity = document.querySelector(`link[rel=later][href="${path}"]`).integrity;
    script.onload = () => done(ume[name]);
    script.onerror = refuse;
    document.head.append(script);
  }));
  const keys = () => bring('/keys.js', 'passkeys');
  const bell = () => bring('/bell.js', 'bells');
  // A relay that wakes this browser has a worker of its own, which hears for it and does nothing else.
  const pushWorker = (scope) => navigator.serviceWorker.register(policy.createScriptURL('/push.js'), { scope });
  // Pictures are made small on a thread of their own.
  let painter;
  const paint = (...picture) => new Promise((done) => {
    painter ??= new Worker(policy.createScriptURL('/pictures.js'));
    painter.onerror = () => { painter = undefined; done(null); };
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => { port1.close(); done(data); };
    painter.postMessage(picture, [port2]);
  });
  // Calls once when an element comes into sight.
  const calls = new WeakMap();
  const eye = new IntersectionObserver((all) => all.forEach(({ isIntersecting, target }) => {
    if (!isIntersecting) return;
    eye.unobserve(target);
    calls.get(target)();
  }));
  const near = (element, call) => { calls.set(element, call); eye.observe(element); };
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
  // The browser's own offer to make an app of the page, kept until somebody takes it up.
  let offer;
  const offers = (event) => { offer = event; globalThis.ume.offered = Boolean(event); dispatchEvent(new Event('ume-install')); };
  addEventListener('beforeinstallprompt', (event) => { event.preventDefault(); offers(event); });
  addEventListener('appinstalled', () => offers());
  const install = async () => { await offer?.prompt(); offers(); };
  // Whenever the page goes out of sight, whether or not anything waits: what is sent then is always as much.
  addEventListener('visibilitychange', () => {
    if (document.hidden) registration.then((one) => one?.sync?.register('deposit')).catch(() => {});
  });
  // Only where the server can be reached, or nothing would be left to load.
  const renew = async () => {
    const { ok } = await fetch('/sw.js', { cache: 'reload' });
    if (!ok) throw new Error('no server');
    for (const name of await caches.keys()) await caches.delete(name);
    await (await registration)?.unregister();
    location.reload();
  };
  const fail = () => document.getElementById('fail')?.removeAttribute('hidden');
  // Names of emoji, for whoever looks for one.
  const lists = { en: '/emoji/en.txt', de: '/emoji/de.txt' };
  const emoji = async (name) => {
    const answer = await fetch(lists[name] ?? lists.en);
    if (!answer.ok) throw new Error(name);
    return answer.text();
  };
  globalThis.ume = { goal, emoji, engine, registration, fail, read, renew, lock, leave, persist, install, keys, bell, pushWorker, paint, near, link: () => { const taken = link; link = null; return taken; } };

  Promise.all([import('/ume.js'), words, brand, parsed]).then(([app, words, brand]) => {
    // What the app's second module shares with the first (the build cuts them apart).
    const shared = () => app.initSync();
    Object.assign(globalThis.ume, { shared, words, brand: { ...brand, languages: offered(brand) } });
    return app.default();
  }).catch(fail);
})();
