// The engine worker: a module that loads engine.wasm and hands it the page's messages, none lost while it loads. The sockets
// are in a worker of their own.
import init, { receive } from "./engine.js";

const LINE = "/line-worker.js";
const rules = { createScriptURL(path) { if (path === LINE) return path; throw new TypeError(path); } };
const policy = self.trustedTypes?.createPolicy("ume", rules) ?? rules;
self.lineWorker = () => new Worker(policy.createScriptURL(LINE));

const early = [];
self.onmessage = (event) => early.push(event.data);

init().then(
  () => {
    self.onmessage = (event) => receive(event.data);
    early.splice(0).forEach((message) => receive(message));
  },
  // Thrown outside the promise, so that the page's worker.onerror hears of it.
  () => setTimeout(() => { throw new Error("the engine did not load"); }),
);
