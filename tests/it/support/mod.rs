//! The words in which the tests speak: an app, the people who use it, what they are answered.

pub mod actor;
pub mod answer;
pub mod app;
pub mod authenticator;
pub mod browser;
pub mod documents;
pub mod dump;
pub mod https;
pub mod loki;
pub mod mail;
pub mod owner;
pub mod pages;
pub mod postgres;
pub mod prometheus;
pub mod proxy;
pub mod redis;
pub mod server;
pub mod site;
pub mod tap;
pub mod throughout;
pub mod transport;
pub mod wait;
pub mod walk;

pub const COFFER: &str = env!("CARGO_BIN_EXE_coffer");

/// Makes `name::sqlite` and `name::postgres` of an `async fn name(app: App)`; the settings are coffer's own
/// options, such as `"--signup=open"`.
macro_rules! on_both_engines {
    ($name:ident $(, $setting:expr)*) => {
        mod $name {
            #[tokio::test]
            async fn sqlite() {
                super::$name($crate::support::app::App::with($crate::support::app::Engine::Sqlite, &[$($setting),*]).await).await;
            }

            #[tokio::test]
            async fn postgres() {
                super::$name($crate::support::app::App::with($crate::support::app::Engine::Postgres, &[$($setting),*]).await).await;
            }
        }
    };
}
pub(crate) use on_both_engines;
