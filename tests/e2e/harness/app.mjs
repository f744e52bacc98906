// What people do in the app, by what they see and hear: roles, labels and texts, never classes.
import { words } from "./words.mjs";

const button = (page, name) => page.getByRole("button", { name, exact: true });
/** Something to tap, be it a link or a button. */
const tappable = (page, name) => button(page, name).or(page.getByRole("link", { name, exact: true }));

/** The choice that a new user has. */
export const firstScreen = (page) => tappable(page, words.welcome.start_go);

export async function startCommunity(page, name, persona = "") {
  await tappable(page, words.welcome.start_go).click();
  await page.getByLabel(words.start.name).fill(name);
  if (persona) await page.getByLabel(words.start.persona).fill(persona);
  await button(page, words.start.go).click();
  await composer(page).waitFor();
}

const shareSheet = (page) => page.getByRole("dialog", { name: words.share.title });

/**
 * The link of an invite, taken from the share sheet, which is closed afterwards.
 * @param {{expires?: string, uses?: string, history?: string}} [terms] the words of the choices
 */
export async function share(page, terms = {}) {
  const sheet = await openShareSheet(page);
  for (const [which, choice] of Object.entries(terms)) {
    await sheet.getByRole("group", { name: words.share[which] }).getByRole("radio", { name: choice, exact: true }).check();
  }
  if (Object.keys(terms).length > 0) await button(sheet, words.share.make).click();
  const link = await sharedLink(page);
  await button(sheet, words.app.close).click();
  await sheet.waitFor({ state: "hidden" });
  return link;
}

/** A private link, made anew. */
export const sharePrivate = (page) => share(page, { kind: words.share.private });

export async function openShareSheet(page) {
  const sheet = shareSheet(page);
  // Starting a community opens it by itself.
  await sheet.waitFor({ timeout: 1_000 }).catch(() => button(page, words.feed.share).click());
  await sheet.waitFor();
  return sheet;
}

/** The link once it is made. */
export async function sharedLink(page) {
  const field = shareSheet(page).getByRole("textbox", { name: words.share.link });
  await page.waitForFunction((input) => /#\d+\./.test(input?.value ?? ""), await field.elementHandle());
  return field.inputValue();
}

export const composer = (page) => page.getByLabel(words.composer.label);

export async function post(page, text) {
  await composer(page).fill(text);
  await button(page, words.composer.send).click();
}

/** Writes posts called `Post number 1` and so on, faster than anybody could, through the same form. */
export async function postMany(page, count) {
  await composer(page).evaluate(async (field, last) => {
    for (let number = 1; number <= last; number += 1) {
      field.value = `Post number ${number}`;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      // The form takes the text in its own time.
      await new Promise((done) => setTimeout(done));
      field.form.requestSubmit();
      await new Promise((done) => setTimeout(done));
    }
  }, count);
}

/** The post that contains a text. */
export const postWith = (page, text) => page.getByRole("article").filter({ hasText: text });

/** Waits until a relay has a post on disk: the tick. */
export async function waitUntilSent(page, text, timeout) {
  await stateOf(page, text, words.feed.sent).waitFor({ timeout });
}

/** The mark that says how far a post is on its way. */
export const stateOf = (page, text, state) =>
  postWith(page, text).getByText(state, { exact: true });

/** Opens a link as if it had been tapped in a chat. */
export async function openInvite(page, link) {
  await page.goto(link, { waitUntil: "commit" });
  await joinButton(page).waitFor();
}

export const joinButton = (page) => button(page, words.redeem.join);

/** Joins through the card that is shown. */
export async function join(page, persona) {
  if (persona) await page.getByLabel(words.redeem.name).fill(persona);
  await joinButton(page).click();
  await composer(page).waitFor();
}

/** Opens a private link as if it had been tapped in a chat. */
export async function openPrivate(page, link) {
  await page.goto("about:blank");
  await page.goto(link, { waitUntil: "commit" });
  await button(page, words.redeem.ask).waitFor();
}

/** Asks to come in through the card that is shown. */
export async function ask(page, persona, note = "") {
  await page.getByLabel(words.redeem.name).fill(persona);
  if (note) await page.getByLabel(words.redeem.note).fill(note);
  await button(page, words.redeem.ask).click();
}

/** That somebody waits for an answer, as their own browser says it. */
export const asking = (page) => page.getByRole("heading", { name: words.asking.title });

/** That somebody is not let in, as their own browser says it. */
export const refused = (page, text) => page.locator("[data-test=refused]").getByText(text);

/** Somebody's request, as it shows to those who may answer. */
export const request = (page, name) =>
  page.getByRole("list", { name: words.requests.title }).getByRole("listitem").filter({ hasText: name });

export const openInvites = (page) => openPeople(page, words.people.invites);

/** Pastes a link into the first screen instead of opening it. */
export async function pasteInvite(page, text) {
  await page.getByLabel(words.welcome.paste_label).fill(text);
  await button(page, words.welcome.paste_go).click();
}

/** The app in another tab, asking to be used there. */
export const takeOverButton = (page) => button(page, words.elsewhere.go);

/** Waits until the page's next visit needs no network. */
export async function serviceWorkerReady(page) {
  await page.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated");
}

/** The part of the people's page that is called so: members, invites or rules. */
export async function openPeople(page, part = words.people.members) {
  const tab = button(page.getByRole("navigation", { name: words.people.title }), part);
  // Its name goes on with how many ask to come in.
  const way = page.getByRole("button", { name: new RegExp(`^${words.people.title}`) });
  if (!(await tab.isVisible())) await way.click();
  await tab.click();
}

export async function closePeople(page) {
  await button(page, words.app.back).click();
  await page.locator("[data-test=home]").waitFor();
}

/** The line of somebody in the list of members. */
export const memberLine = (page, name) =>
  page.getByRole("list", { name: words.people.members }).getByRole("button").filter({ hasText: name });

/** Opens somebody's sheet; the sheet. */
export async function openMember(page, name) {
  await openPeople(page);
  await memberLine(page, name).click();
  const sheet = page.getByRole("dialog", { name });
  await sheet.waitFor();
  return sheet;
}

/** Does something in somebody's sheet that is asked about once: the name of the way there, and of the deed. */
export async function decide(page, name, way, deed) {
  const sheet = await openMember(page, name);
  await button(sheet, way).click();
  await button(sheet, deed.replace("{{ name }}", name)).click();
  await sheet.waitFor({ state: "hidden" });
}

export async function changeRole(page, name, role) {
  const sheet = await openMember(page, name);
  await sheet.getByRole("radio", { name: role, exact: true }).check();
  await button(sheet, words.people.role_go).click();
  await sheet.waitFor({ state: "hidden" });
  await memberLine(page, name).filter({ hasText: role }).waitFor();
}
