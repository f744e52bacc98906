//! Line icons on a grid of 24. They only ever repeat what text says, so screen readers skip them.
use leptos::prelude::*;

/// What an icon shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    Alert,
    ArrowDown,
    ArrowUp,
    Back,
    Ban,
    Bell,
    BellOff,
    Check,
    Clip,
    Clock,
    Close,
    Comment,
    Eye,
    EyeOff,
    Gear,
    Give,
    History,
    Hourglass,
    Key,
    Link,
    Leave,
    Menu,
    More,
    Pen,
    People,
    Picture,
    Pin,
    Plus,
    Search,
    Send,
    Share,
    Smile,
    TakeBack,
}

impl Icon {
    /// All of them, for whoever looks at them.
    #[cfg(debug_assertions)]
    pub(crate) const ALL: [Self; 27] = [
        Self::Alert,
        Self::ArrowDown,
        Self::ArrowUp,
        Self::Back,
        Self::Ban,
        Self::Check,
        Self::Clock,
        Self::Close,
        Self::Eye,
        Self::EyeOff,
        Self::Gear,
        Self::Give,
        Self::History,
        Self::Hourglass,
        Self::Link,
        Self::Leave,
        Self::Menu,
        Self::More,
        Self::Pen,
        Self::People,
        Self::Picture,
        Self::Pin,
        Self::Plus,
        Self::Search,
        Self::Send,
        Self::Share,
        Self::TakeBack,
    ];

    /// Whether it points the way in which people read.
    const fn turns(self) -> bool {
        matches!(
            self,
            Self::Back | Self::History | Self::Leave | Self::Send | Self::TakeBack
        )
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Alert => {
                "M12 8v5M12 16.5v.01M10.3 4 2.6 17.5A2 2 0 0 0 4.3 20.5h15.4a2 2 0 0 0 1.7-3L13.7 4a2 2 0 0 0-3.4 0Z"
            }
            Self::ArrowDown => "M12 5v14M6 13l6 6 6-6",
            Self::ArrowUp => "M12 19V5M6 11l6-6 6 6",
            Self::Back => "M19 12H5M11 6l-6 6 6 6",
            Self::Ban => "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM6 6l12 12",
            Self::Bell => "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15L6 16.5ZM10 20.5h4M12 3.5V5",
            Self::BellOff => {
                "M4.5 4.5l15 15M8.2 5.3A6 6 0 0 1 18 10v3M6.2 8.5 6 10v4l-1.5 3h12.6M10 20.3h4"
            }
            Self::Check => "m5 12.5 4.5 4.5L19 7.5",
            Self::Clip => {
                "M20 11.5 12.4 19a4.6 4.6 0 0 1-6.5-6.5l7.8-7.7a3.1 3.1 0 0 1 4.4 4.4l-7.7 7.6a1.6 1.6 0 0 1-2.2-2.2l7-7"
            }
            Self::Clock => "M12 7.5V12l3 2M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17Z",
            Self::Close => "M6 6l12 12M18 6 6 18",
            Self::Comment => {
                "M5 5h14a1.5 1.5 0 0 1 1.5 1.5v9A1.5 1.5 0 0 1 19 17h-7l-4.5 3.5V17H5a1.5 1.5 0 0 1-1.5-1.5v-9A1.5 1.5 0 0 1 5 5Z"
            }
            Self::Eye => {
                "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 9.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6Z"
            }
            Self::EyeOff => {
                "M4.5 4.5l15 15M9.9 5.8A9 9 0 0 1 12 5.5C18 5.5 21.5 12 21.5 12a17 17 0 0 1-3 3.7M6.5 7.6A16.5 16.5 0 0 0 2.5 12S6 18.5 12 18.5a9.4 9.4 0 0 0 4-.9M10 10.2a2.8 2.8 0 0 0 3.9 3.9"
            }
            Self::Gear => {
                "M4 7h9M17 7h3M15 4.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4ZM4 17h3M11 17h9M9 14.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4Z"
            }
            Self::Give => {
                "M4 11h16v8.5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V11ZM3 7.5h18V11H3V7.5ZM12 7.5v13M12 7.5s-1-4-3.5-4a2 2 0 0 0 0 4H12Zm0 0s1-4 3.5-4a2 2 0 0 1 0 4H12Z"
            }
            Self::History => "M4 5v4.5h4.5M4.6 9.5A8.5 8.5 0 1 1 3.5 13M12 8v4.5l3 1.8",
            Self::Hourglass => {
                "M6.5 3.5h11M6.5 20.5h11M8 3.5v3.2a4 4 0 0 0 1.6 3.2L12 12l2.4-2.1A4 4 0 0 0 16 6.7V3.5M8 20.5v-3.2a4 4 0 0 1 1.6-3.2L12 12l2.4 2.1a4 4 0 0 1 1.6 3.2v3.2"
            }
            Self::Key => {
                "M15.5 3.5a5 5 0 1 0 0 10 5 5 0 0 0 0-10ZM11.5 12.5l-8 8M6 18l2.5 2.5M16.5 7.5v.01"
            }
            Self::Link => {
                "M10 14a4.2 4.2 0 0 0 6 0l3.2-3.2a4.2 4.2 0 0 0-6-6L12 6M14 10a4.2 4.2 0 0 0-6 0l-3.2 3.2a4.2 4.2 0 0 0 6 6L12 18"
            }
            Self::Leave => "M14 4.5h4a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2h-4M10 8l-4 4 4 4M6 12h9",
            Self::Menu => "M4 7h16M4 12h16M4 17h16",
            Self::More => "M5.5 12h.01M12 12h.01M18.5 12h.01",
            Self::Pen => {
                "m14.5 6 3.5 3.5M4.5 19.5l1-4.5L16 4.5a2 2 0 0 1 2.8 0l.7.7a2 2 0 0 1 0 2.8L9 18.5l-4.5 1Z"
            }
            Self::People => {
                "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 19.5a6.5 6.5 0 0 1 13 0M16 4.9a3.5 3.5 0 0 1 0 6.2M18 14a6.5 6.5 0 0 1 3.5 5.5"
            }
            Self::Picture => {
                "M5.5 4.5h13a1 1 0 0 1 1 1v13a1 1 0 0 1-1 1h-13a1 1 0 0 1-1-1v-13a1 1 0 0 1 1-1ZM4.5 16l4-4 5 5M12.5 15l3-3 4 4M9 8.5v.01"
            }
            Self::Pin => "M9 3.5h6l-.8 6.5 3.3 3v1.5h-11V13l3.3-3L9 3.5ZM12 14.5v6",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Search => "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM15.5 15.5 20.5 20.5",
            Self::Send => {
                "M4.5 12 3.4 5.2c-.2-1 .8-1.7 1.7-1.3l15 7.2a1 1 0 0 1 0 1.8l-15 7.2c-.9.4-1.9-.3-1.7-1.3L4.5 12Zm0 0H12"
            }
            Self::Share => "M12 14.5V3.5M8 7l4-4 4 4M5 11.5v7a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2v-7",
            Self::Smile => {
                "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM8.5 14a4 4 0 0 0 7 0M9 9.5v.01M15 9.5v.01"
            }
            Self::TakeBack => "M8.5 13.5 4 9l4.5-4.5M4 9h10.5a5.5 5.5 0 0 1 0 11H11",
        }
    }
}

/// Draws an icon in the colour of the text around it.
pub(crate) fn icon(icon: Icon) -> impl IntoView {
    view! { class="u",
        <svg class="icon" class:icon-turns=icon.turns() viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d=icon.path()></path>
        </svg>
    }
}
