//! All components with their states, one below the other: `/?go=gallery`, in development builds only.
use crate::components::avatar::avatar;
use crate::components::field::Field;
use crate::components::icon::{Icon, icon};
use crate::components::mark::mark;
use crate::components::sheet::Sheet;
use crate::components::trouble::Trouble;
use leptos::prelude::*;
use ume_api::Failure;

/// The page.
#[component]
pub(crate) fn Gallery() -> impl IntoView {
    view! { class="u",
        <main id="main" class="page" data-test="gallery">
            <header class="welcome-head">{mark()}<h1 tabindex="-1">"Components"</h1></header>
            {section("Buttons", buttons())}
            {section("Choices", choices())}
            {section("Fields", fields())}
            {section("Troubles", troubles())}
            {section("States", states())}
            {section("Icons", Icon::ALL.map(|one| icon(one).into_any()).collect_view().into_any())}
            {section("Keys", marks())}
            {section("Sheet", sheet())}
        </main>
    }
}

fn section(title: &'static str, content: AnyView) -> AnyView {
    view! { class="u", <section class="card"><h2>{title}</h2><div class="actions">{content}</div></section> }.into_any()
}

fn buttons() -> AnyView {
    ["", "primary", "quiet", "danger"]
        .map(|kind| {
            let class = format!("button {kind}");
            view! { class="u",
                <button type="button" class=class.clone()>{icon(Icon::Send)}"Send"</button>
                <button type="button" class=class disabled=true>"Not now"</button>
            }
        })
        .collect_view()
        .into_any()
}

fn choices() -> AnyView {
    let pill = |name: &'static str, checked| {
        view! { class="u", <label class="pill"><input type="radio" name="pill" checked=checked/><span>{name}</span></label> }
    };
    view! { class="u",
        <fieldset class="pills"><legend>"Pills"</legend>{pill("One", true)}{pill("Another", false)}{pill("A third that is longer", false)}</fieldset>
        <label class="check"><input type="checkbox" checked=true/><span>"Checked"</span></label>
        <label class="check"><input type="checkbox" role="switch"/><span>"Switched off"</span></label>
        <label class="choice"><span>"Select"</span><select><option>"First"</option><option>"Second"</option></select></label>
    }
    .into_any()
}

fn fields() -> AnyView {
    let text = |text: &str| Signal::stored(text.to_owned());
    view! { class="u",
        <Field id="empty" label=text("Empty") hint=text("A hint") example=text("For example this") value=RwSignal::new(String::new())/>
        <Field id="full" label=text("Full") remark=text("optional") hint=text("A hint") value=RwSignal::new("Lantern Street".to_owned())/>
        <Field id="wrong" label=text("Wrong") hint=text("") value=RwSignal::new("x".repeat(80)) wrong=Signal::stored(Some("This is too long.".to_owned()))/>
    }
    .into_any()
}

fn troubles() -> AnyView {
    [
        Failure::RelayUnreachable,
        Failure::InviteExpired,
        Failure::StorageFull,
    ]
    .map(|failure| view! { class="u", <Trouble failure=failure retry=|()| ()/> })
    .collect_view()
    .into_any()
}

fn states() -> AnyView {
    let line = |state: &'static str| {
        view! { class="u", <span class="line" data-connection=state><span class="line-dot"></span>{state}</span> }
    };
    view! { class="u",
        <span class="badge">"3"</span>
        <span class="badge badge-past">"Used up"</span>
        {["online", "connecting", "offline"].map(line).collect_view()}
        <span class="pulse"></span>
        <span class="bone bone-title"></span>
        <span class="bone bone-long"></span>
        <p class="nothing">"Nothing here yet"</p>
    }
    .into_any()
}

fn marks() -> AnyView {
    let marks = (0..12).map(|one: u8| {
        std::array::from_fn(|at| {
            one.wrapping_mul(37)
                .wrapping_add(u8::try_from(at).unwrap_or(0).wrapping_mul(61))
        })
    });
    let draw = |mark| view! { class="u", <span class="key-picture">{avatar(mark)}</span> };
    marks.map(draw).collect_view().into_any()
}

fn sheet() -> AnyView {
    let open = RwSignal::new(false);
    view! { class="u",
        <button type="button" class="button" on:click=move |_| open.set(true)>"Open"</button>
        <Sheet open=open title=Signal::stored("A sheet".to_owned()) name="gallery-sheet"><p>"What is in it."</p></Sheet>
    }
    .into_any()
}
