import { Person } from "./e2e/harness/person.mjs";
import { Relay } from "./e2e/harness/relay.mjs";
import { startCommunity, share, pasteInvite, firstScreen } from "./e2e/harness/app.mjs";
import { words } from "./e2e/harness/words.mjs";
const r = await Relay.start(), e = await Relay.start(); const p = await Person.meet("x"), b = await Person.meet("b"), l = await Person.meet("l", {beforeWorker: `{ const now = Date.now.bind(Date); Date.now = () => now() + 2 * 24 * 3600 * 1000; }`});
try {
await p.page.goto(r.origin); await startCommunity(p.page, "X"); const day = await share(p.page, { expires: words.share.day });
await l.page.goto(day); await l.page.waitForTimeout(3000); await l.page.screenshot({path:"target/late.png"});
await r.kill();
await b.page.goto(e.origin); await firstScreen(b.page).waitFor(); await pasteInvite(b.page, day); const t=Date.now(); 
for (let i=0;i<40;i++){ await b.page.waitForTimeout(1000); const x=await b.page.textContent("main"); if (!/Opening/.test(x)) {console.log(Date.now()-t, x.slice(0,200)); break;} }
await b.page.screenshot({path:"target/unreach.png"});
} finally { for (const x of [p,b,l]) await x.leave(); await r.stop(); await e.stop(); }
