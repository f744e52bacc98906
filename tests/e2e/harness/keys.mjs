// What people do with their keys and at the lock.
import { words } from "./words.mjs";

const button = (page, name) => page.getByRole("button", { name, exact: true });

/** The page of keys and lock. */
export async function openKeys(page) {
  const way = page.locator("[data-test=keys-open]").filter({ visible: true });
  if ((await way.count()) === 0) await button(page, words.app.menu).click();
  await way.first().click();
  await page.locator("[data-test=keys]").waitFor();
}

/** Sets a passphrase that is asked for each time; `meanwhile` looks at the form. */
export async function setPassphrase(page, passphrase, meanwhile = () => {}) {
  const section = page.locator("[data-test=passphrase]");
  await button(section, words.keys.set).click();
  await meanwhile();
  await section.getByLabel(words.keys.new, { exact: true }).fill(passphrase);
  await section.getByLabel(words.keys.again, { exact: true }).fill(passphrase);
  await button(section, words.keys.save).click();
  await section.getByText(words.keys.asked).waitFor();
}

export const locked = (page) => page.getByRole("heading", { name: words.vault.title });

/** Locks ume from its page of keys. */
export async function lock(page) {
  await button(page, words.keys.lock_now).click();
  await locked(page).waitFor();
}

/** Types a passphrase at the lock, as soon as that is possible. */
export async function unlock(page, passphrase) {
  await page.getByLabel(words.vault.passphrase, { exact: true }).fill(passphrase);
  await button(page, words.vault.go).click();
}
