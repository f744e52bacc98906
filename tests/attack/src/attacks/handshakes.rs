//! Those who begin a TLS handshake and do not end it, on a relay that ends TLS itself.

use super::{
    Size, each,
    silence::{REAPED, gone, reaped},
};
use crate::{Fault, Result, peer, relay::Relay, report::Report};
use rustls::{ClientConfig, ClientConnection, RootCertStore, pki_types::ServerName};
use std::{fs, path::Path, sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt, time};

const NAME: &str = "relay.test";
/// By how many MiB it may grow.
const MEMORY: u64 = 64;

/// Half a hello, and a whole one after which nothing follows.
pub(super) async fn half_done(relay: &Relay, size: Size, report: &mut Report) -> Result {
    let directory = tempfile::tempdir()?;
    write_pair(directory.path())?;
    let file = |name: &str| directory.path().join(name).display().to_string();
    let (chain, key) = (file("chain.pem"), file("key.pem"));
    let options = ["--tls-certificate", &chain, "--tls-key", &key];
    let relay = Relay::start(relay.program(), &options).await?;
    let memory = relay.watch_memory()?;
    let (to, count) = (relay.address(), size.pick(100, 1000));
    let before = relay.descriptors()?;
    let hello = Arc::new(hello()?);
    for (what, part) in [
        ("half a hello of TLS, reaped", hello.len() / 2),
        ("a hello of TLS and nothing more, reaped", hello.len()),
    ] {
        let hello = hello.clone();
        let times = each(count, move |n| {
            let hello = hello.clone();
            async move {
                let mut stream = peer::tcp(to, peer::source(n)).await?;
                stream.write_all(&hello[..part]).await?;
                Result::Ok(reaped(&mut stream, REAPED).await)
            }
        })
        .await?;
        gone(report, what, times, REAPED);
    }
    time::sleep(Duration::from_secs(1)).await;
    let left = relay.descriptors()?.saturating_sub(before);
    report.row("descriptors left behind", left, 0, left == 0);
    report.memory(memory.stop().await, MEMORY);
    relay.stop(report).await
}

/// What a client says first.
fn hello() -> Result<Vec<u8>> {
    let failed = |error: rustls::Error| Fault::new(error.to_string());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let name = ServerName::try_from(NAME).map_err(|error| Fault::new(error.to_string()))?;
    let mut client = ClientConnection::new(Arc::new(config), name).map_err(failed)?;
    let mut hello = Vec::new();
    client.write_tls(&mut hello)?;
    Ok(hello)
}

/// A certificate, and its key, for the name.
fn write_pair(directory: &Path) -> Result {
    let failed = |error: rcgen::Error| Fault::new(error.to_string());
    let key = rcgen::KeyPair::generate().map_err(failed)?;
    let certificate = rcgen::CertificateParams::new([NAME.to_owned()]).map_err(failed)?;
    let certificate = certificate.self_signed(&key).map_err(failed)?;
    fs::write(directory.join("key.pem"), key.serialize_pem())?;
    fs::write(directory.join("chain.pem"), certificate.pem())?;
    Ok(())
}
