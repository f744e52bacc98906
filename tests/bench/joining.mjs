// From a link to its card, and from a tap on Join to the newest posts of a community with a past, everybody else's
// device being off.
import { join, openInvite, postMany, postWith, share, startCommunity, waitUntilSent } from "../e2e/harness/app.mjs";
import { Person } from "../e2e/harness/person.mjs";
import { Relay } from "../e2e/harness/relay.mjs";
import { figures } from "./figures.mjs";

const NEWCOMERS = 3;

export async function joinWithHistory(count, say) {
  const relay = await Relay.start();
  const founder = await Person.meet("founder", { direct: true });
  try {
    await founder.page.goto(relay.origin);
    await startCommunity(founder.page, "Long past");
    const link = await share(founder.page);
    const start = Date.now();
    await postMany(founder.page, count);
    await waitUntilSent(founder.page, `Post number ${count}`, 120_000);
    say(`wrote ${count} posts in ${Date.now() - start} ms`);
    await founder.closeBrowser();

    const [cards, posts] = [[], []];
    for (let run = 0; run < NEWCOMERS; run += 1) {
      const newcomer = await Person.meet("newcomer", { direct: true });
      const opened = performance.now();
      await openInvite(newcomer.page, link);
      const tapped = performance.now();
      cards.push(tapped - opened);
      await join(newcomer.page);
      await postWith(newcomer.page, `Post number ${count}`).waitFor({ timeout: 60_000 });
      posts.push(performance.now() - tapped);
      await newcomer.leave();
    }
    return { card: figures(cards), posts: figures(posts) };
  } finally {
    await founder.leave();
    await relay.stop();
  }
}
