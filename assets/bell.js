// How the browser is asked to let relays wake ume: loaded when somebody wants that. One registration for each relay, since a
// registration has one key of one relay.
(() => {
  const scope = (number) => `/push/${number}/`;
  const same = (buffer, key) => buffer && new Uint8Array(buffer).every((byte, at) => byte === key[at]);

  /** The worker of a relay, once it runs. */
  async function worker(number) {
    const registration = await ume.pushWorker(scope(number));
    const coming = registration.installing ?? registration.waiting;
    if (!registration.active && coming) {
      await new Promise((done) => coming.addEventListener('statechange', () => coming.state === 'activated' && done()));
    }
    return registration;
  }

  const workers = async () => (await navigator.serviceWorker.getRegistrations()).filter((one) => new URL(one.scope).pathname.startsWith('/push/'));

  ume.bells = {
    /** `granted`, `denied`, or `default` if the person said neither. To be called when they tap. */
    allow: () => Notification.requestPermission(),

    /** Where a relay with this key can wake this browser. */
    async ring(number, key) {
      const { pushManager } = await worker(number);
      let subscription = await pushManager.getSubscription();
      if (subscription && !same(subscription.options.applicationServerKey, key)) {
        await subscription.unsubscribe();
        subscription = null;
      }
      subscription ??= await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
      const { endpoint } = subscription;
      return { endpoint, p256dh: new Uint8Array(subscription.getKey('p256dh')), auth: new Uint8Array(subscription.getKey('auth')) };
    },

    /** Something is new, and nobody looks at this page: what hears for relays says so. */
    async hint() {
      (await workers()).find((one) => one.active)?.active.postMessage('new');
    },

    /** No relay is to wake this browser any more. */
    async still() {
      for (const one of await workers()) {
        await (await one.pushManager.getSubscription())?.unsubscribe();
        await one.unregister();
      }
    },
  };
})();
