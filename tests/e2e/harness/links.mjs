// Invite links that nobody made (the format is in crates/engine/src/link.rs).
import { createHash } from "node:crypto";

const CHECK_BYTES = 4;

/** The link with its bytes changed by `change` and a checksum that fits them again. */
export function forged(link, change) {
  const [before, text] = link.split("#1.");
  const bytes = Buffer.from(text, "base64url");
  const content = bytes.subarray(0, bytes.length - CHECK_BYTES);
  change(content);
  const check = createHash("sha256").update(content).digest().subarray(0, CHECK_BYTES);
  return `${before}#1.${Buffer.concat([content, check]).toString("base64url")}`;
}

/** A whole link to an invite that nobody made. */
export const unknown = (link) => forged(link, (content) => { content[1] ^= 1; });

/** What is left of a link after a careless copy. */
export const cut = (link) => link.slice(0, -10);

/** As a later version might write it. */
export const newer = (link) => link.replace("#1.", "#2.");
