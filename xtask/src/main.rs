//! Everything that developers run: `cargo xtask --help`.
mod app;
mod attack;
mod bench;
mod check;
mod cover;
mod fault;
mod fuzz;
mod groups;
mod load;
mod process;
mod repo;
mod serve;
mod setup;
mod suite;

use fault::{Fault, Result};
use repo::Repo;
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <command>

  setup [--test]      install what is missing to run ume (--test: to test it, too)
  build [--force]     build the app for release into dist/
  words               write the texts of each language as the app fetches them, for `trunk serve`
  run [--listen A]    build everything, start the relay with the app, print the address (A: 127.0.0.1:7700)
  test [NAME...]      run every check and test, or only the steps named; --list names them
  e2e [FILE...]       run the end-to-end tests, or only those whose file name contains FILE
  pictures [FOLDER]   take pictures of every page, in both directions, widths, themes and sizes (target/pictures)
  attack [NAME...]    attack the relay in every way we know, or in those named; `attack autobahn` lets Autobahn's test
                      suite judge its WebSocket, `attack kill` kills it a thousand times under load
  fuzz [NAME...]      fuzz every parser that a stranger can reach, or those named, 60 seconds each (--seconds N
                      before the names)
  cover [--quick]     attack cover traffic as an observer of links would, and write what is found to docs/cover.md;
                      `cover captures` does it with Chromium and a relay, `cover hidden` watches a page that is not in
                      front, `cover --long` tries more seeds than anybody waits for
  bench               measure the budgets of the product and print them; JSON goes to bench-results/
  bench groups [...]  measure joining, posting, loading and removing in communities of 10, 100 and 1,000 (--sizes,
                      --rounds, or only the sections named), and the same by mls-rs;
                      `bench groups chromium` does it with the app in Chromium (--sizes)
  bench feed [...]    scroll through a feed of 10,000 posts in Chromium, on a processor slowed down (--posts N)
  bench relay [...]   measure the relay beside the peers that are installed (docs/benchmarks.md; --quick, --only CASE)
  bench search [N]    measure looking for something among N posts (100,000); `bench search wasm` as browsers run it
  bench soak [...]    load the relay for two hours and watch its memory and descriptors (--minutes N)
  check               format, lints, licences, direction of dependencies, file sizes: what needs no test run

Each command installs what it needs first and does nothing twice. Tools of cargo go to .tools/, those of node to
node_modules/; only `setup --test` (and the commands that test) asks apt for Chromium, when none is there.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("xtask: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result {
    let repo = Repo::find()?;
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("--help", arguments),
    };
    if rest.iter().any(|word| word == "--help" || word == "-h") {
        print!("{HELP}");
        return Ok(());
    }
    match command {
        "--help" | "-h" | "help" => {
            print!("{HELP}");
            Ok(())
        }
        "setup" => match flags(rest, &["--test"])?.as_slice() {
            [] => setup::ready(&repo, setup::Need::Run),
            _ => setup::ready(&repo, setup::Need::Test),
        },
        "build" => {
            let force = !flags(rest, &["--force"])?.is_empty();
            setup::ready(&repo, setup::Need::Run)?;
            app::build(&repo, force)
        }
        "words" => app::words::write(&repo),
        "run" => serve::run(&repo, rest),
        "test" => suite::test(&repo, rest),
        "check" => suite::check(&repo),
        "e2e" => suite::end_to_end(&repo, rest),
        "pictures" => suite::pictures(&repo, rest),
        "bench" => match rest.split_first() {
            None => bench::run(&repo),
            Some((what, words)) if what == "groups" => groups::run(&repo, words),
            Some((what, words)) if what == "feed" => groups::feed(&repo, words),
            Some((what, words)) if what == "relay" => load::run(&repo, words),
            Some((what, words)) if what == "search" => bench::search(&repo, words),
            Some((what, words)) if what == "soak" => load::soak(&repo, words),
            Some((what, _)) => Err(Fault::new(format!(
                "no bench of `{what}`; there are `feed`, `groups`, `relay`, `search` and `soak`"
            ))),
        },
        "attack" => attack::attack(&repo, rest),
        "cover" => cover::run(&repo, rest),
        "fuzz" => fuzz::fuzz(&repo, rest),
        other => Err(Fault::new(format!(
            "no command `{other}`; see `cargo xtask --help`"
        ))),
    }
}

/// The words of `rest` when all of them are in `known`.
fn flags<'a>(rest: &'a [String], known: &[&str]) -> Result<Vec<&'a str>> {
    match rest.iter().find(|word| !known.contains(&word.as_str())) {
        Some(word) => Err(Fault::new(format!(
            "`{word}` is not understood; see `cargo xtask --help`"
        ))),
        None => Ok(rest.iter().map(String::as_str).collect()),
    }
}
