// How the browser is asked to let relays wake ume: loaded when somebody wants that. One registration for each relay, since a
// registration has one key of one relay; it is named by that key, which stays whatever other relays come and go.
(() => {
  const scope = (key) => `/push/${Array.from(key, (byte) => byte.toString(16).padStart(2, '0')).join('')}/`;

  /** The worker of a relay, once it runs. */
  async function worker(key) {
    const registration = await ume.pushWorker(scope(key));
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
    async ring(key) {
      const { pushManager } = await worker(key);
      const subscription = await pushManager.getSubscription()
        ?? await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
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
