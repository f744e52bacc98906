//! The headers that every answer of the app's origin carries.

use hyper::header::{HeaderName, HeaderValue};

/// What may be loaded, and from where. `connect-src` follows it, because it depends on how the relay is reached.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; \
    img-src 'self' blob: data:; media-src blob:; manifest-src 'self'; font-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types ume; ";

/// Relays that a browser may talk to: any, over TLS.
const CONNECT: &str = "connect-src 'self' https: wss:";
/// Without TLS the app is on somebody's own machine, and so may be other relays.
const CONNECT_LOCAL: &str =
    " ws://127.0.0.1:* ws://localhost:* http://127.0.0.1:* http://localhost:*";

/// Of pages only: workers import their scripts in ways that cannot say what these have to be.
pub(super) const INTEGRITY: (HeaderName, &str) = (
    HeaderName::from_static("integrity-policy"),
    "blocked-destinations=(script)",
);

const FIXED: [(&str, &str); 7] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    (
        "permissions-policy",
        "camera=(self), accelerometer=(), autoplay=(), browsing-topics=(), display-capture=(), \
         encrypted-media=(), gamepad=(), geolocation=(), gyroscope=(), hid=(), idle-detection=(), local-fonts=(), \
         magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), serial=(), usb=(), \
         window-management=(), xr-spatial-tracking=()",
    ),
    ("origin-agent-cluster", "?1"),
];

/// All of them.
pub(super) fn security(behind_tls: bool) -> Vec<(HeaderName, HeaderValue)> {
    let local = if behind_tls { "" } else { CONNECT_LOCAL };
    let policy = HeaderValue::try_from(format!("{POLICY}{CONNECT}{local}"));
    let fixed = FIXED.iter().map(|(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    });
    let policy = policy
        .into_iter()
        .map(|policy| (HeaderName::from_static("content-security-policy"), policy));
    let transport = behind_tls.then(|| {
        let always = HeaderValue::from_static("max-age=63072000; includeSubDomains");
        (HeaderName::from_static("strict-transport-security"), always)
    });
    fixed.chain(policy).chain(transport).collect()
}
