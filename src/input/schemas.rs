//! The JSON schemas of our own formats, as `plimsoll schema` prints them and `docs/schemas/` keeps them.

use crate::input::catalog::CatalogFile;
use crate::input::offers::OffersFile;
use crate::input::policy::PolicyFile;
use crate::input::policy_test::PolicyTestFile;
use crate::input::profile::ProfileFile;
use crate::input::project::ProjectFile;
use crate::input::scenario::ScenarioFile;
use crate::input::schema::titled;
use crate::input::sweep::SweepFile;

/// The schemas of all our formats, by name.
#[must_use]
pub fn all() -> Vec<(&'static str, serde_json::Value)> {
    vec![
        ("scenario", titled::<ScenarioFile>("a Plimsoll scenario")),
        ("sweep", titled::<SweepFile>("a Plimsoll sweep")),
        ("profile", titled::<ProfileFile>("a Plimsoll hardware profile")),
        ("policy", titled::<PolicyFile>("a Plimsoll policy")),
        ("policy-test", titled::<PolicyTestFile>("a Plimsoll policy test")),
        ("catalog", titled::<CatalogFile>("a Plimsoll catalog of images")),
        ("offers", titled::<OffersFile>("what providers sell, for Plimsoll")),
        ("project", titled::<ProjectFile>("a Plimsoll project, plimsoll.yaml")),
    ]
}
