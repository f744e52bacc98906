//! The program `ume-relay`.

fn main() -> std::process::ExitCode {
    ume_relay::cli::main()
}
