//! Compiles the schema of what members say to each other, without any system tool, and makes the table by which a search
//! takes characters apart.

#[path = "build/folds.rs"]
mod folds;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=build");
    let schema = protox::compile(["community.proto"], ["proto"])?;
    prost_build::Config::new().compile_fds(schema)?;
    let out = std::env::var("OUT_DIR")?;
    std::fs::write(format!("{out}/folds.rs"), folds::table()?)?;
    Ok(())
}
