//! Several steps of the engine in one transaction.

use ume_engine::io::{Batch, Output, Step};

/// Joins steps in the order in which they were made: a later write to a row wins, outputs keep their order.
#[must_use]
pub fn join(steps: impl IntoIterator<Item = Step>) -> Step {
    let mut joined = Step {
        batch: Batch::default(),
        outputs: Vec::<Output>::new(),
    };
    for mut step in steps {
        joined.batch.0.append(&mut step.batch.0);
        joined.outputs.append(&mut step.outputs);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use ume_engine::io::{Key, Millis, Table};

    fn step(rows: &[(u8, Option<u8>)], wake: u64) -> Step {
        let key = |id| Key {
            table: Table::Entry,
            id: vec![id],
        };
        Step {
            batch: Batch(
                rows.iter()
                    .map(|(id, value)| (key(*id), value.map(|value| vec![value])))
                    .collect(),
            ),
            outputs: vec![Output::WakeAt(Millis(wake))],
        }
    }

    #[test]
    fn later_writes_win_and_outputs_keep_their_order() {
        let joined = join([
            step(&[(1, Some(1)), (2, Some(1))], 1),
            step(&[(1, None)], 2),
            step(&[(3, Some(3))], 3),
        ]);
        let rows: Vec<_> = joined
            .batch
            .0
            .into_iter()
            .map(|(key, value)| (key.id, value))
            .collect();
        assert_eq!(
            rows,
            [
                (vec![1], None),
                (vec![2], Some(vec![1])),
                (vec![3], Some(vec![3]))
            ]
        );
        let wakes: Vec<_> = joined
            .outputs
            .into_iter()
            .filter_map(|output| {
                if let Output::WakeAt(at) = output {
                    Some(at.0)
                } else {
                    None
                }
            })
            .collect();
        assert_eq!(wakes, [1, 2, 3]);
    }
}
