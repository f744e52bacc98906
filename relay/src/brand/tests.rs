use super::{Brand, BrandError};
use serde_json::{Value, json};
use std::fs;

fn whole() -> Value {
    json!({
        "name": "Harbour",
        "icon": "icon.svg",
        "colours": {
            "light": { "accent": "#1f6f5c", "on_accent": "#ffffff" },
            "dark": { "accent": "#7fd6bf", "on_accent": "#06231c" },
        },
        "relay": "https://relay.example.org",
        "languages": ["de", "en"],
        "notice": { "en": "For people of the harbour." },
    })
}

fn open(brand: &Value) -> Result<Brand, BrandError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("brand.json");
    fs::write(&path, brand.to_string()).unwrap();
    fs::write(folder.path().join("icon.svg"), "<svg/>").unwrap();
    fs::write(folder.path().join("large.png"), vec![0; 70_000]).unwrap();
    Brand::open(&path)
}

#[test]
fn a_whole_brand_is_served_as_it_is() {
    let brand = open(&whole()).unwrap();
    let page: Value = serde_json::from_slice(&brand.page).unwrap();
    assert_eq!(page["name"], "Harbour");
    assert_eq!(page["icon"], "/brand-icon.svg");
    assert_eq!(page["colours"]["dark"], json!(["#7fd6bf", "#06231c"]));
    let manifest = brand.manifest(br#"{"name":"ume","id":"/","icons":[1,2]}"#);
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(
        (&manifest["name"], &manifest["id"]),
        (&json!("Harbour"), &json!("/"))
    );
    assert_eq!(manifest["icons"][0]["src"], "/brand-icon.svg");
    assert!(open(&json!({ "name": "Only a name" })).is_ok());
}

#[test]
fn everything_that_is_wrong_is_said_in_plain_words() {
    let cases: [(&str, Value, &str); 12] = [
        ("/name", json!(""), "name: 1 to 24 letters"),
        ("/name", json!("a|b"), "name: 1 to 24 letters"),
        ("/icon", json!("icon.gif"), "neither .svg nor .png"),
        ("/icon", json!("large.png"), "larger than 64 KiB"),
        (
            "/colours/light/accent",
            json!("green"),
            "colours.light.accent: \"green\" is no colour",
        ),
        (
            "/colours/light/accent",
            json!("#9fd6bf"),
            "colours.light.accent on the app's ground: a contrast of",
        ),
        (
            "/colours/dark/accent",
            json!("#1f6f5c"),
            "colours.dark.accent on the app's ground: a contrast of",
        ),
        (
            "/colours/dark/on_accent",
            json!("#ffffff"),
            "colours.dark.on_accent on accent: a contrast of",
        ),
        (
            "/relay",
            json!("http://relay.example.org"),
            "relay: an address like",
        ),
        (
            "/relay",
            json!("https://relay.example.org/path"),
            "relay: an address like",
        ),
        ("/languages", json!([]), "languages: at least one"),
        (
            "/languages",
            json!(["english"]),
            "\"english\" is no language",
        ),
    ];
    for (place, value, said) in cases {
        let mut brand = whole();
        *brand.pointer_mut(place).unwrap() = value;
        // An icon that is not there is another error.
        let error = match open(&brand) {
            Err(error) => error.to_string(),
            Ok(_) => String::new(),
        };
        assert!(
            error.contains(said) || (place == "/icon" && error.contains("cannot read")),
            "{place}: {error}"
        );
    }
    let mut more = whole();
    more["colour"] = json!(1);
    let error = open(&more).unwrap_err().to_string();
    assert!(error.contains("unknown field `colour`"), "{error}");
}
