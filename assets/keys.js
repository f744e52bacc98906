// Passkeys, and erasing everything: seldom needed, so loaded when it is.
(() => {
  const bytes = (length) => crypto.getRandomValues(new Uint8Array(length));

  // Chromium and Firefox give the PRF's output only to who asks a passkey, not always to who makes one.
  const ask = async (list) => {
    const prf = { evalByCredential: {} };
    for (const [id, salt] of list) prf.evalByCredential[encode(id)] = { first: salt };
    const publicKey = {
      challenge: bytes(32), // nobody checks the signature: the PRF's output is the proof
      allowCredentials: list.map(([id]) => ({ type: "public-key", id })),
      userVerification: "required",
      extensions: { prf },
    };
    const given = await navigator.credentials.get({ publicKey });
    const first = given.getClientExtensionResults().prf?.results?.first;
    if (!first) throw new Error("no PRF");
    const id = new Uint8Array(given.rawId);
    return [id, list.find(([one]) => encode(one) === encode(id))[1], new Uint8Array(first)];
  };

  const encode = (id) => btoa(String.fromCharCode(...id)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

  const make = async (known) => {
    const salt = bytes(32);
    const name = "ume";
    const made = await navigator.credentials.create({ publicKey: {
      challenge: bytes(32),
      rp: { name },
      user: { id: bytes(16), name, displayName: name },
      pubKeyCredParams: [{ type: "public-key", alg: -7 }, { type: "public-key", alg: -8 }, { type: "public-key", alg: -257 }],
      excludeCredentials: known.map(([id]) => ({ type: "public-key", id })),
      authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
      extensions: { prf: { eval: { first: salt } } },
    } });
    const { prf } = made.getClientExtensionResults();
    if (!prf?.enabled) throw new Error("no PRF");
    const id = new Uint8Array(made.rawId);
    const first = prf.results?.first;
    const output = first ? new Uint8Array(first) : (await ask([[id, salt]]))[2];
    return [id, salt, output];
  };

  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = resolve;
    request.onerror = reject;
  });

  const erase = async () => {
    ume.leave();
    const databases = indexedDB.databases ? await indexedDB.databases() : [{ name: "ume" }];
    await Promise.all(databases.map(({ name }) => done(indexedDB.deleteDatabase(name))));
    for (const name of await caches.keys()) await caches.delete(name);
    for (const registration of await navigator.serviceWorker.getRegistrations()) await registration.unregister();
    localStorage.clear();
    sessionStorage.clear();
  };

  globalThis.ume.passkeys = { ask, make, erase };
})();
