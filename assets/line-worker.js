// Holds the sockets, and carries out their plans: at each slot of a plan so many frames leave, those that wait first, and
// frames that say nothing in the place of the rest. It decides nothing and looks into nothing. It has a thread of its own, so
// that nothing that the engine does, and no wait for the disk, moves a slot.
const CONNECT_WAIT = 10_000;
const lines = new Map();
let pad;

const tell = (line, what, ...rest) => postMessage([what, line.id, ...rest]);

const end = (line, ...why) => {
  if (!lines.delete(line.id)) return;
  clearTimeout(line.timer);
  clearTimeout(line.deadline);
  line.socket.onopen = line.socket.onclose = line.socket.onmessage = null;
  line.socket.close();
  if (why.length) tell(line, ...why);
};

const wait = (line) => {
  clearTimeout(line.timer);
  const [slot] = line.slots;
  if (slot && line.last !== undefined) {
    line.timer = setTimeout(() => carryOut(line), Math.max(0, line.last + slot.gap - performance.now()));
  }
};

const carryOut = (line) => {
  const { gap, frames, fixed } = line.slots.shift();
  line.last += gap;
  let filled = 0;
  for (let n = 0; n < frames; n += 1) {
    const frame = (n === 0 && fixed) || line.fills.shift();
    if (frame && frame !== fixed) filled += 1;
    line.socket.send(frame ?? pad);
  }
  // What comes late is not caught up: slots that went by meanwhile are dropped.
  let slots = 1;
  const now = performance.now();
  while (line.slots.length && line.last + line.slots[0].gap <= now) {
    line.last += line.slots.shift().gap;
    slots += 1;
  }
  tell(line, "left", slots, frames, filled);
  wait(line);
};

const acts = {
  pad(frame) {
    pad = frame;
  },
  open(id, url) {
    let socket;
    try {
      socket = new WebSocket(url);
    } catch {
      return postMessage(["closed", id]);
    }
    const line = { id, socket, slots: [], fills: [] };
    lines.set(id, line);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      clearTimeout(line.deadline);
      line.last = line.opened = performance.now();
      tell(line, "opened");
    };
    socket.onclose = ({ code, reason }) => end(line, "closed", code, reason);
    socket.onmessage = ({ data }) => tell(line, "frame", data);
    line.deadline = setTimeout(() => end(line, "closed"), CONNECT_WAIT);
  },
  close(id) {
    const line = lines.get(id);
    if (line) end(line);
  },
  send(id, frame) {
    const line = lines.get(id);
    if (line?.socket.readyState === WebSocket.OPEN) line.socket.send(frame);
  },
  // Gaps in milliseconds and frames of slots; what the first frame of the first slot is, if nothing may fill it.
  plan(id, afresh, gaps, frames, fixed) {
    const line = lines.get(id);
    if (!line) return;
    if (afresh) {
      line.slots = [];
      line.last = line.opened ?? performance.now();
      line.opened = undefined;
    }
    gaps.forEach((gap, at) => line.slots.push({ gap, frames: frames[at], fixed: at === 0 ? fixed : undefined }));
    wait(line);
  },
  fill(id, frame) {
    lines.get(id)?.fills.push(frame);
  },
};

onmessage = ({ data: [what, ...rest] }) => acts[what](...rest);
