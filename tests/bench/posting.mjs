// From a tap on Post to the text on the other screen; both pages read the clock of the same machine.
import { join, openInvite, post, postWith, share, startCommunity, waitUntilSent } from "../e2e/harness/app.mjs";
import { Person } from "../e2e/harness/person.mjs";
import { Relay } from "../e2e/harness/relay.mjs";
import { figures } from "./figures.mjs";

const POSTS = 30;

export async function postToOther() {
  const relay = await Relay.start();
  const [writer, reader] = [await Person.meet("writer", { direct: true }), await Person.meet("reader", { direct: true })];
  try {
    await writer.page.goto(relay.origin);
    await startCommunity(writer.page, "Two of us");
    const link = await share(writer.page);
    await openInvite(reader.page, link);
    await join(reader.page);
    await post(writer.page, "warm-up");
    await waitUntilSent(writer.page, "warm-up");
    await postWith(reader.page, "warm-up").waitFor();

    const times = [];
    for (let number = 0; number < POSTS; number += 1) {
      const text = `Measured ${number}.`;
      const seen = reader.page.evaluate(seenAt, text);
      await writer.page.evaluate(noteTap);
      await post(writer.page, text);
      times.push((await seen) - (await writer.page.evaluate(() => window.umeTapped)));
    }
    return figures(times);
  } finally {
    await writer.leave();
    await reader.leave();
    await relay.stop();
  }
}

/** In the reader's page: when a text turns up, on the clock of the machine. */
function seenAt(text) {
  return new Promise((resolve) => {
    const look = () => {
      if (!document.body.textContent.includes(text)) return false;
      resolve(performance.timeOrigin + performance.now());
      observer.disconnect();
      return true;
    };
    const observer = new MutationObserver(look);
    if (!look()) observer.observe(document.body, { childList: true, subtree: true, characterData: true });
  });
}

/** In the writer's page: notes when a form is submitted or a button is tapped. */
function noteTap() {
  const note = () => { window.umeTapped = performance.timeOrigin + performance.now(); };
  for (const kind of ["click", "submit"]) addEventListener(kind, note, { capture: true, once: true });
}
