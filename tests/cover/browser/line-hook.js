
// For captures: `ume-cover` puts this behind the app's line-worker.js, in a copy that only its relay serves. What is measured
// is what people run; this makes its steady gaps shorter, so that minutes are enough to see thousands of frames, and writes
// down when each frame was to leave, when it left, whether somebody wanted it, and how many slots were missed after it. A
// page asks for that by a channel.
{
  const { quicker, atTick } = UME_COVER;
  /** Gaps of bursts are shorter than this, milliseconds; those stay. */
  const STEADY = 250;
  /** How long real frames take where they are made at the tick, milliseconds: the fault that measurements have to find. */
  const SEALING = 0.2;
  const { plan, send } = acts;
  const hand = WebSocket.prototype.send;
  const notes = new Map();
  let planned = true;

  acts.plan = (id, afresh, gaps, ...rest) =>
    plan(id, afresh, gaps.map((gap) => (gap < STEADY ? gap : gap / quicker)), ...rest);
  acts.send = (...all) => {
    planned = false;
    send(...all);
    planned = true;
  };
  WebSocket.prototype.send = function (frame) {
    const real = frame !== pad;
    if (atTick && real) for (const begun = performance.now(); performance.now() < begun + SEALING;);
    hand.call(this, frame);
    const line = [...lines.values()].find(({ socket }) => socket === this);
    if (!notes.has(line.id)) notes.set(line.id, []);
    notes.get(line.id).push([planned ? line.last : null, performance.now(), real]);
  };

  // What else went by when a slot was carried out was missed.
  const post = self.postMessage;
  self.postMessage = (message, ...rest) => {
    const [what, id, slots] = message;
    if (what === "left") notes.get(id).at(-1).push(slots - 1);
    post.call(self, message, ...rest);
  };

  const channel = new BroadcastChannel("ume-cover");
  const answers = {
    // Nothing leaves any more: what was captured can be counted.
    stop() {
      for (const line of lines.values()) clearTimeout(line.timer);
      for (const what of Object.keys(acts)) acts[what] = () => {};
      return answers.tell();
    },
    tell: () => ({ answer: [...notes.values()], origin: performance.timeOrigin }),
    count: () => ({
      answer: [...notes.values()].map((frames) => [frames.length, frames.filter(([, , real]) => real).length]),
    }),
  };
  channel.onmessage = ({ data }) => { if (Object.hasOwn(answers, data)) channel.postMessage(answers[data]()); };
}
