//! A group that grows by real joins, and what is done in it: the same steps as `tests/groups` takes with whole engines.

use crate::cost::{Cost, Costs, timed};
use crate::peer::{Device, Fault, Member};
use mls_rs::client_builder::MlsConfig;

/// The text that `tests/groups` posts.
fn text(round: usize) -> String {
    format!("A post of the usual length, number {round}.")
}

/// The founder, one more who stays, and the leaves of those who came and went away again.
pub(crate) struct Crowd<C: MlsConfig, F: Fn(usize) -> Result<Device<C>, Fault>> {
    device: F,
    founder: Member<C>,
    other: Member<C>,
    leaves: Vec<u32>,
    joins: (Costs, Costs),
}

impl<C: MlsConfig, F: Fn(usize) -> Result<Device<C>, Fault>> Crowd<C, F> {
    /// A group of two. `device` makes the device with a number.
    pub(crate) fn new(device: F) -> Result<Self, Fault> {
        let mut founder = device(0)?.found()?;
        let (other, commit) = device(1)?.join(&founder.door()?)?;
        founder.take(&commit)?;
        Ok(Self {
            device,
            founder,
            other,
            leaves: vec![],
            joins: (vec![], vec![]),
        })
    }

    fn size(&self) -> usize {
        self.leaves.len() + 2
    }

    /// Lets people come until there are so many. Of the last ones it is noted what that cost those who came, and one of the others.
    pub(crate) fn grow(&mut self, size: usize, rounds: usize) -> Result<(), Fault> {
        self.joins = (vec![], vec![]);
        while self.size() < size {
            let door = self.founder.door()?;
            let device = (self.device)(self.size())?;
            let (cpu, joined) = timed(|| device.join(&door));
            let (guest, commit) = joined?;
            let (taking, taken) = timed(|| self.other.take(&commit));
            taken?;
            self.founder.take(&commit)?;
            if self.size() + rounds >= size {
                self.joins.0.push(Cost {
                    cpu,
                    sent: commit.len(),
                    got: door.bytes(),
                });
                self.joins.1.push(Cost {
                    cpu: taking,
                    sent: 0,
                    got: commit.len(),
                });
            }
            self.leaves.push(guest.leaf());
        }
        self.agree()
    }

    pub(crate) fn join(&self) -> (Costs, Costs) {
        self.joins.clone()
    }

    pub(crate) fn post(&mut self, rounds: usize) -> Result<(Costs, Costs), Fault> {
        let (mut own, mut others) = (vec![], vec![]);
        for round in 0..rounds {
            let text = text(round);
            let (cpu, sealed) = timed(|| self.founder.seal(text.as_bytes()));
            let sealed = sealed?;
            let (opening, opened) = timed(|| self.other.open(&sealed));
            if opened? != text.as_bytes() {
                return Err(Fault::Other("another text came out".into()));
            }
            own.push(Cost {
                cpu,
                sent: sealed.len(),
                got: 0,
            });
            others.push(Cost {
                cpu: opening,
                sent: 0,
                got: sealed.len(),
            });
        }
        Ok((own, others))
    }

    /// Starting on what is stored; what that cost, and how many bytes are stored.
    pub(crate) fn load(&mut self, rounds: usize) -> Result<(Costs, usize), Fault> {
        let stored = self.other.store()?;
        let mut costs = vec![];
        for _ in 0..rounds {
            let (cpu, loaded) = timed(|| self.other.load());
            loaded?;
            costs.push(Cost {
                cpu,
                sent: 0,
                got: 0,
            });
        }
        self.agree()?;
        Ok((costs, stored))
    }

    pub(crate) fn remove(&mut self, rounds: usize) -> Result<(Costs, Costs), Fault> {
        let (mut own, mut others) = (vec![], vec![]);
        for _ in 0..rounds {
            let Some(leaf) = self.leaves.pop() else {
                break;
            };
            let (cpu, commit) = timed(|| self.founder.remove(leaf));
            let commit = commit?;
            let (taking, taken) = timed(|| self.other.take(&commit));
            taken?;
            own.push(Cost {
                cpu,
                sent: commit.len(),
                got: 0,
            });
            others.push(Cost {
                cpu: taking,
                sent: 0,
                got: commit.len(),
            });
        }
        self.agree()?;
        Ok((own, others))
    }

    /// A figure of a group that fell apart would be worth nothing.
    fn agree(&self) -> Result<(), Fault> {
        if self.founder.agrees(&self.other)? {
            Ok(())
        } else {
            Err(Fault::Other("the members do not agree".into()))
        }
    }
}
