// Asks a page's line worker for what it wrote down (line-hook.js).

/** What the page answers to `stop`, `tell` or `count`; runs in the page. */
export function ask(what) {
  return new Promise((done) => {
    const channel = new BroadcastChannel("ume-cover");
    channel.onmessage = ({ data }) => {
      channel.close();
      done(data);
    };
    channel.postMessage(what);
  });
}

/** Frames as the relay's trace has them (relay/src/ws/trace.rs), `-` where there was no plan. Connections get numbers from `first`. */
export function written({ answer, origin }, first) {
  const micros = (at) => (at === null ? "-" : Math.round((origin + at) * 1_000));
  return answer.map((frames, at) =>
    frames
      .map(([planned, left, real]) => `${first + at} ${micros(planned)} ${micros(left)} ${real ? "real" : "pad"}\n`)
      .join(""));
}
