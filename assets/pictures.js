// Makes pictures small, on a thread of its own. What is drawn anew has nothing else of its file: no place, no camera, no time.
const KINDS = ["image/webp", "image/jpeg"]; // What Safari cannot write, it writes as something else.
const QUALITIES = [0.85, 0.7, 0.5];
const PIXELS_MAX = 64e6;
const PROBE = [160, 90, 124];

const draw = (bitmap, longest, kind) => {
  const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
  const side = (length) => Math.max(1, Math.round(length * scale));
  const canvas = new OffscreenCanvas(side(bitmap.width), side(bitmap.height));
  const brush = canvas.getContext("2d");
  // A browser that protects against fingerprints gives back something else than was drawn.
  brush.fillStyle = `rgb(${PROBE})`;
  brush.fillRect(0, 0, 1, 1);
  const back = brush.getImageData(0, 0, 1, 1).data;
  if (PROBE.some((was, at) => Math.abs(was - back[at]) > 8)) throw new Error("withheld");
  brush.clearRect(0, 0, 1, 1);
  if (kind === "image/jpeg") {
    brush.fillStyle = "#fff";
    brush.fillRect(0, 0, canvas.width, canvas.height);
  }
  brush.imageSmoothingQuality = "high";
  brush.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
};

const write = async (bitmap, longest, most) => {
  for (const type of KINDS) {
    const canvas = draw(bitmap, longest, type);
    for (const quality of QUALITIES) {
      const blob = await canvas.convertToBlob({ type, quality });
      if (blob.type !== type) break;
      if (blob.size <= most) return [new Uint8Array(await blob.arrayBuffer()), canvas.width, canvas.height];
    }
  }
  return null;
};

// Bytes, width, height, and the same tiny; nothing if it is no picture, or none that can be written here.
const small = async ([file, side, most, tinySide, tinyMost]) => {
  const bitmap = await createImageBitmap(file);
  if (bitmap.width * bitmap.height > PIXELS_MAX) return null;
  const picture = await write(bitmap, side, most);
  const tiny = picture && await write(bitmap, tinySide, tinyMost);
  bitmap.close();
  return picture && [...picture, tiny?.[0] ?? new Uint8Array()];
};

self.onmessage = async ({ data, ports: [port] }) => port.postMessage(await small(data).catch(() => null));
