//! Runs the cases against relay and peers in turns, and says what came of it.

use crate::{
    cases::{self, Case, Work},
    cover,
    fault::{During, Result, fault},
    floor, goals, idle, machine,
    server::{Peer, Programs, Server},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How `bench` is run.
#[derive(Debug, clap::Args)]
pub(crate) struct Bench {
    #[command(flatten)]
    programs: Programs,
    /// Once each, and shortly: to see that all works, not to judge.
    #[arg(long)]
    quick: bool,
    /// Only cases whose name holds one of these words.
    #[arg(long, value_name = "WORD", num_args = 1.., value_delimiter = ',')]
    only: Vec<String>,
    /// Only these peers, besides the relay.
    #[arg(long, value_name = "NAME", num_args = 1.., value_delimiter = ',')]
    peers: Vec<String>,
    /// Repetitions of every case; figures are medians.
    #[arg(long, value_name = "N", default_value_t = 3)]
    repeat: usize,
    /// Where the figures go as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// The medians, by case and peer.
#[derive(Default)]
pub(crate) struct Results {
    medians: BTreeMap<(String, &'static str), BTreeMap<String, f64>>,
}

impl Results {
    /// A figure, if it was measured.
    pub(crate) fn get(&self, case: &str, peer: Peer, field: &str) -> Option<f64> {
        let row = self.medians.get(&(case.to_owned(), peer.name()))?;
        row.get(field).copied().filter(|value| value.is_finite())
    }
}

/// Measures.
pub(crate) fn run(mut bench: Bench) -> Result {
    bench.programs = bench.programs.absolute()?;
    let bench = &bench;
    let cases: Vec<Case> = cases::all()
        .into_iter()
        .filter(|case| {
            bench.only.is_empty()
                || bench
                    .only
                    .iter()
                    .any(|word| case.name.contains(word.as_str()))
        })
        .collect();
    if cases.is_empty() {
        let names: Vec<String> = cases::all().into_iter().map(|case| case.name).collect();
        return fault(format!("no such case; there are: {}", names.join(" ")));
    }
    let (mut results, mut rows) = (Results::default(), Vec::new());
    println!(
        "{:<24}{:<20}{:>11}{:>11}{:>10}{:>10}{:>10}  of NATS",
        "case", "peer", "per core-s", "per s", "us each", "p50 ms", "p99 ms"
    );
    for case in &cases {
        let mut repeats: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        let peers: Vec<Peer> = case
            .peers
            .iter()
            .copied()
            .filter(|peer| bench.wants(*peer))
            .collect();
        for _ in 0..if bench.quick { 1 } else { bench.repeat } {
            for peer in &peers {
                match measure(bench, case, *peer) {
                    Ok(figures) => repeats.entry(peer.name()).or_default().push(figures),
                    Err(error) => println!("{:<24}{:<20}{error}", case.name, peer.name()),
                }
            }
        }
        for peer in peers {
            let Some(repeats) = repeats.remove(peer.name()) else {
                continue;
            };
            let median = medians(&repeats);
            results
                .medians
                .insert((case.name.clone(), peer.name()), median.clone());
            print_row(&results, case, peer);
            rows.push(json!({"case": case.name, "peer": peer.name(), "median": median, "repeats": repeats}));
        }
    }
    report(bench, &results, &rows)
}

impl Bench {
    fn wants(&self, peer: Peer) -> bool {
        let ours = matches!(peer, Peer::Ume | Peer::UmeStored);
        let named = self.peers.is_empty() || self.peers.iter().any(|name| name == peer.name());
        self.programs.has(peer) && (ours || named)
    }

    fn span(&self) -> Duration {
        Duration::from_millis(if self.quick { 700 } else { 1_500 })
    }
}

/// One repetition, on a server of its own.
fn measure(bench: &Bench, case: &Case, peer: Peer) -> Result<Value> {
    let span = bench.span();
    let server = Server::start(&bench.programs, peer)?;
    // Latencies are the one figure that other work on the machine changes beyond use.
    let pids = [server.pid(), std::process::id()];
    let real_time = case.real_time && machine::real_time(&pids, true);
    let figures = match case.work {
        Work::Traffic(traffic) => traffic
            .run(&server, if case.real_time { 2 * span } else { span })
            .map(|figures| figures.json()),
        Work::Idle(connections) => idle::run(&server, peer, connections).map(|idle| idle.json()),
        Work::Cover(clients) => cover::run(&server, clients, 6 * span).map(|cover| cover.json()),
        Work::Floor => floor::syncs_per_second(server.directory(), span)
            .map(|syncs| json!({"per_second": syncs})),
    };
    if real_time {
        machine::real_time(&pids[1..], false);
    }
    let mut figures = figures?;
    figures["load_average"] = json!(machine::load_average());
    if case.real_time {
        figures["real_time"] = json!(real_time);
    }
    Ok(figures)
}

/// The median of every number.
fn medians(repeats: &[Value]) -> BTreeMap<String, f64> {
    let mut columns: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (name, value) in repeats.iter().filter_map(Value::as_object).flatten() {
        if let Some(number) = value.as_f64() {
            columns.entry(name.clone()).or_default().push(number);
        }
    }
    let middle = |mut numbers: Vec<f64>| {
        numbers.sort_by(f64::total_cmp);
        let half = numbers.len() / 2;
        if numbers.len().is_multiple_of(2) {
            f64::midpoint(numbers[half - 1], numbers[half])
        } else {
            numbers[half]
        }
    };
    columns
        .into_iter()
        .map(|(name, numbers)| (name, middle(numbers)))
        .collect()
}

fn print_row(results: &Results, case: &Case, peer: Peer) {
    let get = |field| results.get(&case.name, peer, field);
    let show = |value: Option<f64>, digits| {
        value.map_or_else(String::new, |value| format!("{value:.digits$}"))
    };
    if matches!(case.work, Work::Traffic(_)) {
        let against = if case.peers.contains(&Peer::NatsStream) {
            Peer::NatsStream
        } else {
            Peer::Nats
        };
        let ratio = get("per_core_second")
            .zip(results.get(&case.name, against, "per_core_second"))
            .map(|(ours, theirs)| ours / theirs);
        let lost = get("lost").filter(|lost| *lost > 0.0);
        println!(
            "{:<24}{:<20}{:>11}{:>11}{:>10}{:>10}{:>10}  {}{}",
            case.name,
            peer.name(),
            show(get("per_core_second"), 0),
            show(get("per_second"), 0),
            show(get("server_cpu_us_each"), 2),
            show(get("p50_ms"), 2),
            show(get("p99_ms"), 2),
            show(ratio, 2),
            lost.map_or_else(String::new, |lost| format!("  {lost:.0} lost"))
        );
    } else if let Some(row) = results.medians.get(&(case.name.clone(), peer.name())) {
        let words: Vec<String> = row
            .iter()
            .map(|(name, value)| format!("{name} {value:.2}"))
            .collect();
        println!("{:<24}{:<20}{}", case.name, peer.name(), words.join(", "));
    }
}

/// Prints what became of the goals and writes the figures.
fn report(bench: &Bench, results: &Results, rows: &[Value]) -> Result {
    let verdicts = goals::judge(results);
    println!(
        "\n{:<5}{:<70}{:<38}{:<9}measured",
        "goal", "figure", "bound", ""
    );
    for one in &verdicts {
        let word = match one.reached {
            Some(true) => "reached",
            Some(false) => "MISSED",
            None => "-",
        };
        println!(
            "{:<5}{:<70}{:<38}{word:<9}{}",
            one.id, one.figure, one.goal, one.measured
        );
    }
    let Some(file) = &bench.json else {
        return Ok(());
    };
    let goals: Vec<Value> = verdicts
        .iter()
        .map(|one| json!({"goal": one.id, "figure": one.figure, "bound": one.goal, "measured": one.measured, "reached": one.reached}))
        .collect();
    let time = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let all = json!({
        "time": time,
        "quick": bench.quick,
        "kernel": kernel.trim(),
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
        "goals": goals,
        "rows": rows,
    });
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent).during(parent.display().to_string())?;
    }
    fs::write(file, format!("{all:#}\n")).during(file.display().to_string())?;
    println!("\nfigures: {}", file.display());
    Ok(())
}
