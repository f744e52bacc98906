//! The app: what people see and touch. It knows views and commands, and no key, no network and no store.
// Leptos writes `pub` for the properties of every component.
#![allow(unreachable_pub)]

mod app;
mod components;
mod engine;
mod i18n;
mod later;
mod pages;
mod platform;
mod state;

fn main() {
    std::panic::set_hook(Box::new(|_| platform::boot::fail()));
    platform::boot::remove_splash();
    leptos::mount::mount_to_body(app::App);
}
