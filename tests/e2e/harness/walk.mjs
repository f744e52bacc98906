// A walk past every page of the app. On each, the visitor is called with the page and its name.
import { composer, firstScreen, join, openInvite, openMember, openPeople, openShareSheet, post, postWith, share, sharedLink, startCommunity, waitUntilSent } from "./app.mjs";
import { words } from "./words.mjs";

const POSTS = ["The lantern is lit.", "Soup at seven.\nBring a spoon, and somebody who is new here.", "x".repeat(300)];

/** Opens a page from the column or the sheet that holds all ways. */
export async function go(page, name) {
  const way = page.locator(`[data-test=${name}]`).filter({ visible: true });
  if (!(await way.count())) {
    const menu = page.getByRole("button", { name: words.app.menu });
    if (!(await menu.isVisible())) await back(page);
    await menu.click();
  }
  await way.first().click();
}

const back = (page) => page.getByRole("button", { name: words.app.back, exact: true }).click();
const close = (page) => page.getByRole("dialog").getByRole("button", { name: words.app.close }).click();

/**
 * @param {{anna: import("./person.mjs").Person, bert: import("./person.mjs").Person, relay: import("./relay.mjs").Relay}} who
 * @param {(page: import("playwright-core").Page, name: string) => Promise<void>} visit
 */
export async function walk({ anna, bert, relay }, visit) {
  const { page } = anna;
  await page.goto(relay.origin);
  await firstScreen(page).waitFor();
  await visit(page, "welcome");
  await firstScreen(page).click();
  await page.getByLabel(words.start.name).waitFor();
  await visit(page, "start");
  await back(page);
  await startCommunity(page, "Lantern Street", "Anna");
  await openShareSheet(page);
  await sharedLink(page);
  await visit(page, "share");
  const link = await share(page);
  await visit(page, "feed-empty");
  for (const text of POSTS) {
    await post(page, text);
    await waitUntilSent(page, text.slice(0, 100).split("\n")[0]);
  }
  await openInvite(bert.page, link);
  await visit(bert.page, "invite");
  await join(bert.page, "Bert");
  await post(bert.page, "I bring two chairs.");
  await postWith(page, "I bring two chairs.").waitFor();
  await visit(page, "feed");
  await go(page, "search-way");
  await page.getByRole("searchbox").waitFor();
  await visit(page, "search-empty");
  await page.getByRole("searchbox").fill("a");
  await page.locator("[data-test=found]").nth(2).waitFor();
  await page.getByText(words.search.narrow, { exact: true }).click();
  await visit(page, "search");
  await back(page);
  await openPeople(page);
  await visit(page, "people");
  await openMember(page, "Bert");
  await visit(page, "member");
  await close(page);
  await openPeople(page, words.people.invites);
  await visit(page, "invites");
  await openPeople(page, words.people.rules);
  await visit(page, "rules");
  await back(page);
  await go(page, "traffic-open");
  await page.locator("[data-test=line]").waitFor();
  await visit(page, "traffic");
  await go(page, "keys-open");
  await page.locator("[data-test=erase]").waitFor();
  await visit(page, "keys");
  await go(page, "settings-open");
  await page.locator("[data-test=storage]").getByRole("listitem").first().waitFor();
  await page.locator("[data-test=relay]").waitFor();
  await visit(page, "settings");
  await go(page, "add-open");
  await visit(page, "add");
  await page.getByLabel(words.welcome.paste_label).fill("https://example.org/j#1.broken");
  await page.getByRole("button", { name: words.welcome.paste_go, exact: true }).click();
  await page.getByText(words.failure.link_broken, { exact: true }).waitFor();
  await visit(page, "broken-link");
  await page.goto(relay.origin);
  await composer(page).waitFor();
  const other = await anna.context.newPage();
  await other.goto(relay.origin);
  await other.getByRole("heading", { name: words.elsewhere.title }).waitFor();
  await visit(other, "elsewhere");
  await other.close();
}
