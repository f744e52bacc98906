//! New versions of the app: found quietly, taken only when the person says so.
use super::{boot, timer};
use js_sys::Promise;
use leptos::prelude::*;
use std::cell::Cell;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{ServiceWorker, ServiceWorkerRegistration, ServiceWorkerState};

const CHECK_MS: u64 = 3_600_000;

thread_local! {
    /// Whether the person asked for the new version: without that no page is ever loaded again under their hands.
    static WANTED: Cell<bool> = const { Cell::new(false) };
}

/// Sets `ready` when a new version waits, now or later.
pub(crate) fn watch(ready: RwSignal<bool>) {
    spawn_local(async move {
        let Some(registration) = registration().await else {
            return;
        };
        if registration.waiting().is_some() {
            ready.set(true);
        }
        follow(&registration, ready);
        let checked = registration.clone();
        timer::every(CHECK_MS, move || check(&checked));
        super::tabs::on_seen(move || check(&registration));
    });
}

/// Whether the page comes from the copy that works without a network.
pub(crate) fn has_copy() -> bool {
    let of = |place: &JsValue, name: &str| js_sys::Reflect::get(place, &name.into()).ok();
    of(&window().navigator(), "serviceWorker")
        .and_then(|container| of(&container, "controller"))
        .is_some_and(|controller| controller.is_object())
}

/// Takes the new version: the page is loaded once more, as soon as it is in charge. Without one, the page is just loaded.
pub(crate) fn take() {
    WANTED.set(true);
    spawn_local(async {
        if let Some(registration) = registration().await {
            if registration.waiting().is_none()
                && let Ok(update) = registration.update()
            {
                let _ = JsFuture::from(update).await;
            }
            if let Some(waiting) = registration.waiting() {
                reload_once_in_charge();
                skip_waiting(&waiting);
                return;
            }
        }
        boot::reload();
    });
}

fn check(registration: &ServiceWorkerRegistration) {
    if let Ok(update) = registration.update() {
        spawn_local(async move {
            // Without a network there is no new version.
            let _ = JsFuture::from(update).await;
        });
    }
}

async fn registration() -> Option<ServiceWorkerRegistration> {
    let promise: Promise = boot::member("registration")?.dyn_into().ok()?;
    JsFuture::from(promise).await.ok()?.dyn_into().ok()
}

fn follow(registration: &ServiceWorkerRegistration, ready: RwSignal<bool>) {
    let watched = registration.clone();
    let found = Closure::<dyn FnMut()>::new(move || {
        let Some(fresh) = watched.installing() else {
            return;
        };
        let installing = fresh.clone();
        let changed = Closure::<dyn FnMut()>::new(move || {
            // The very first version has no one to replace.
            let replaces = window().navigator().service_worker().controller().is_some();
            if installing.state() == ServiceWorkerState::Installed && replaces {
                ready.set(true);
            }
        });
        fresh.set_onstatechange(Some(changed.as_ref().unchecked_ref()));
        changed.forget();
    });
    registration.set_onupdatefound(Some(found.as_ref().unchecked_ref()));
    found.forget();
}

fn reload_once_in_charge() {
    let changed = Closure::<dyn FnMut()>::new(|| {
        if WANTED.replace(false) {
            boot::reload();
        }
    });
    let container = window().navigator().service_worker();
    container.set_oncontrollerchange(Some(changed.as_ref().unchecked_ref()));
    changed.forget();
}

fn skip_waiting(waiting: &ServiceWorker) {
    // A string can always be copied.
    let _ = waiting.post_message(&JsValue::from_str("SKIP_WAITING"));
}
