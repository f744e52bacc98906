//! The rules that hold at the end of a run.

use super::Plan;
use crate::world::World;
use std::collections::BTreeSet;
use ume_api::EntryId;
use ume_engine::audit::{Audit, Synced};

impl World {
    /// Rules that hold once the network has worked for a while.
    pub(super) fn judge(&self, plan: &Plan) -> Result<(), String> {
        let mut first: Option<Audit> = None;
        let mut known = None;
        for device in 0..plan.devices {
            let Some((_, audit)) = self.community(device) else {
                return Err(format!(
                    "device {device} never got in: {:?}",
                    self.devices[device].answers
                ));
            };
            if audit.departed.is_some() {
                self.judge_departed(device, &audit)?;
                continue;
            }
            if !audit.live || audit.unsettled > 0 || audit.missing > 0 {
                return Err(format!("device {device} is not done: {}", brief(&audit)));
            }
            if let Some((id, _)) = audit.entries.iter().find(|(_, waiting)| *waiting) {
                return Err(format!("device {device} still waits with {:?}", &id.0[..4]));
            }
            let synced = self.synced(device);
            if let Some(what) = synced.as_ref().and_then(fault) {
                return Err(format!("device {device}: {what}"));
            }
            let people = synced.map(|synced| synced.people);
            if *known.get_or_insert(people) != people {
                return Err(format!("device {device} knows other people"));
            }
            match &first {
                None => first = Some(audit),
                Some(first) if !alike(first, &audit) => {
                    return Err(format!(
                        "device {device} differs: {} from {}",
                        brief(&audit),
                        brief(first)
                    ));
                }
                Some(_) => {}
            }
        }
        let entries = first.map(|audit| audit.posts.len()).unwrap_or_default();
        // A post whose device crashed before saying so may or may not be there; one that was acknowledged must be, or
        // its author is told that it was refused.
        let given: BTreeSet<&String> = self.posted.values().collect();
        let refused = self.refused();
        // What a relay forgot, and who was taken out alone had, comes back from nobody.
        let alone = self.alone();
        // Those that end may be here still.
        let most = given.len() + self.fleeting;
        if entries + refused + alone < self.acknowledged.len() || entries > most {
            return Err(format!(
                "{entries} entries, {refused} refused, {} acknowledged, {} given",
                self.acknowledged.len(),
                given.len()
            ));
        }
        Ok(())
    }

    /// Who is out holds nothing that was written by anybody who knew.
    fn judge_departed(&self, device: usize, audit: &Audit) -> Result<(), String> {
        let owners = self.community(0).map(|(_, audit)| audit.entries);
        let known: BTreeSet<EntryId> = owners.into_iter().flatten().map(|(id, _)| id).collect();
        if audit.newest_point >= audit.ledger_length {
            return Err(format!(
                "device {device} read what was written after it was out"
            ));
        }
        // Somebody who was out earlier does not learn that what they had read stands no longer. Its author does.
        let marked = (0..self.devices.len()).filter_map(|device| self.community(device));
        let marked: BTreeSet<EntryId> = marked.flat_map(|(_, audit)| audit.marked).collect();
        let lone = |id: &EntryId| !known.contains(id) && !marked.contains(id);
        match audit.entries.iter().find(|(id, _)| lone(id)) {
            Some((id, _)) if self.report.put_back == 0 => {
                Err(format!("device {device} alone has {:?}", &id.0[..4]))
            }
            _ => Ok(()),
        }
    }

    /// Posts that only devices have whose people are out, after a relay was put back.
    fn alone(&self) -> usize {
        if self.report.put_back == 0 {
            return 0;
        }
        let owners = self.community(0).map(|(_, audit)| audit.posts);
        let known: BTreeSet<EntryId> = owners.into_iter().flatten().map(|(id, _)| id).collect();
        let audits = (0..self.devices.len()).filter_map(|device| self.community(device));
        let out = audits.filter(|(_, audit)| audit.departed.is_some());
        let theirs: BTreeSet<EntryId> =
            out.flat_map(|(_, audit)| audit.posts.into_keys()).collect();
        theirs.difference(&known).count()
    }

    /// Posts that their authors see as refused.
    pub(super) fn refused(&self) -> usize {
        let audits = (0..self.devices.len()).filter_map(|device| self.community(device));
        audits.map(|(_, audit)| audit.refused).sum()
    }

    /// What is found is what somebody would find who looks at everything.
    fn judge_found(&mut self, device: usize, text: &str) -> Result<(), String> {
        let Some(engine) = &mut self.devices[device].engine else {
            return Ok(());
        };
        let (found, seen) = engine.looked(text);
        if found == seen {
            return Ok(());
        }
        let (found, seen) = (found.len(), seen.len());
        Err(format!(
            "device {device} finds {found} of {seen} for {text:?}"
        ))
    }

    pub(super) fn judge_search(&mut self) -> Result<(), String> {
        for device in 0..self.devices.len() {
            for text in [
                "", "post", "edit", "pos 1", "FLEETING", "canary o", "comment",
            ] {
                self.judge_found(device, text)?;
            }
        }
        Ok(())
    }

    /// What the relay stores tells nothing.
    pub(super) fn search_canaries(&self) -> Result<(), String> {
        let dump = self.relay.dump();
        for canary in ["Canary", "post ", "relay.example"] {
            if dump
                .windows(canary.len())
                .any(|window| window == canary.as_bytes())
            {
                return Err(format!("the relay stores {canary:?}"));
            }
        }
        Ok(())
    }
}

/// What is other than the ledger makes it.
fn fault(synced: &Synced) -> Option<&'static str> {
    if synced.replayed != Some(synced.people) {
        return Some("people and rights are not what a replay of the ledger comes to");
    }
    let differs = synced.group.as_ref() != Some(&synced.devices);
    differs.then_some("the group has other devices than the ledger")
}

/// Whether two devices hold the same. What each was shown and did not take, and what each alone holds, is its own.
fn alike(one: &Audit, other: &Audit) -> bool {
    let common = |audit: &Audit| Audit {
        rejected: std::collections::BTreeMap::new(),
        refused: 0,
        marked: BTreeSet::new(),
        ..audit.clone()
    };
    common(one) == common(other)
}

fn brief(audit: &Audit) -> String {
    let ids: Vec<String> = audit
        .entries
        .iter()
        .map(|(EntryId(id), _)| format!("{:02x}{:02x}", id[0], id[1]))
        .collect();
    let authenticator = audit
        .authenticator
        .as_ref()
        .map(|bytes| bytes.iter().take(2).copied().collect::<Vec<_>>());
    format!(
        "generation {} slot {} epoch {:?} {:?} live {} unsettled {} missing {} entries {}",
        audit.generation,
        audit.slot,
        audit.epoch,
        authenticator,
        audit.live,
        audit.unsettled,
        audit.missing,
        ids.join(" ")
    )
}
