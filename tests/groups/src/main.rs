//! What joining, removing and posting cost in communities of any size.
#![deny(missing_docs)]

mod scene;

use scene::{Cost, Fault, Scene, cpu};
use std::time::Duration;
use ume_api::{Act, Command, HistoryWindow, InviteTerms, Reply, Role};

fn since(scene: &Scene, device: usize, before: Cost) -> Cost {
    let now = scene.cost(device);
    Cost {
        cpu: now.cpu - before.cpu,
        sent: now.sent - before.sent,
        got: now.got - before.got,
        rows: now.rows - before.rows,
        bytes: now.bytes - before.bytes,
    }
}

fn rss() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ')
        .nth(1)
        .and_then(|n| n.parse::<u64>().ok())
        .unwrap_or_default()
        * 4
}

fn show(what: &str, n: usize, c: Cost) {
    println!(
        "{n:5} {what:12} cpu {:8.1} ms  sent {:6} got {:6}  rows {:6} bytes {:9}",
        c.cpu.as_secs_f64() * 1e3,
        c.sent,
        c.got,
        c.rows,
        c.bytes
    );
}

fn main() -> Result<(), Fault> {
    let sizes: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|w| w.parse().ok())
        .collect();
    let mut scene = Scene::new(1);
    let owner = scene.device()?;
    let community = scene.found(owner)?;
    let terms = InviteTerms {
        expires_in: None,
        max_uses: None,
        history: HistoryWindow::All,
        role: Role::Member,
    };
    let link = scene.share(owner, community, terms)?;
    let watcher = scene.device()?;
    let there = scene.join(watcher, &link)?;
    let mut n = 2;
    for size in sizes {
        let begun = cpu();
        let mut last = None;
        while n < size {
            let before = (scene.cost(owner), scene.cost(watcher));
            let guest = scene.device()?;
            scene.join(guest, &link)?;
            scene.run(3_000);
            n += 1;
            if n == size {
                show("joiner", n, since(&scene, guest, Cost::default()));
                show("owner@join", n, since(&scene, owner, before.0));
                show("other@join", n, since(&scene, watcher, before.1));
                last = Some(guest);
            } else {
                scene.forget(guest);
            }
        }
        println!("{n:5} grown in {:.1} s", (cpu() - begun).as_secs_f64());
        for _ in 0..3 {
            let before = (scene.cost(owner), scene.cost(watcher));
            scene.command(
                owner,
                Command::Post {
                    community,
                    text: "hello there, everybody".into(),
                },
            )?;
            scene.run(3_000);
            show("post", n, since(&scene, owner, before.0));
            show("post@other", n, since(&scene, watcher, before.1));
        }
        println!(
            "{n:5} stored owner {:?} watcher {:?}",
            scene.stored(owner),
            scene.stored(watcher)
        );
        let before = scene.cost(watcher);
        scene.stop(watcher);
        let r = rss();
        scene.start(watcher)?;
        show("load", n, since(&scene, watcher, before));
        println!("{n:5} memory of a loaded engine {} KiB", rss() - r);
        scene.run(3_000);
        if let Some(guest) = last {
            let Ok(Reply::Members(members)) = scene.command(owner, Command::Members { community })
            else {
                break;
            };
            let person = members
                .iter()
                .find(|m| m.person.name == format!("Guest {guest}"))
                .map(|m| m.person.id);
            if let Some(person) = person {
                let before = (scene.cost(owner), scene.cost(watcher));
                scene.command(
                    owner,
                    Command::Govern {
                        community,
                        act: Act::Remove { person, ban: false },
                    },
                )?;
                scene.run(3_000);
                show("remove", n, since(&scene, owner, before.0));
                show("other@remove", n, since(&scene, watcher, before.1));
                n -= 1;
            }
            scene.forget(guest);
        }
        let _ = there;
        let a = (scene.audit(owner), scene.audit(watcher));
        if let (Some(a), Some(b)) = a {
            println!("agree {}", a.authenticator == b.authenticator);
        }
    }
    let _ = Duration::ZERO;
    Ok(())
}
