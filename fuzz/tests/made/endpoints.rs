//! Addresses of devices at push services.

/// Addresses of devices at push services, and what looks like some.
pub(crate) const ENDPOINTS: [(&str, &str); 9] = [
    (
        "chromium",
        "https://fcm.googleapis.com/fcm/send/cXy-_:APA91bH~a",
    ),
    (
        "firefox",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABl_-x",
    ),
    (
        "edge",
        "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAC%2bTqA%2f%3d%3d",
    ),
    ("safari", "https://web.push.apple.com/QKz0-_x"),
    ("port", "https://push.example.org:8443/a/../b?c"),
    ("user", "https://fcm.googleapis.com@evil.example/a"),
    ("number", "https://0x7f.1/a"),
    ("punycode", "https://xn--bcher-kva.example/a"),
    ("path", "/a%2Fb;c=d"),
];
