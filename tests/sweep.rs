//! Sweeps as a user runs them: which points there are, that what was ended and taken up again or run in parts gives the same
//! file, that the figures are those of `simulate`, that what is tuned is good on seeds that were not seen, and that what does not
//! belong together is refused.

#[path = "sweep/ended.rs"]
mod ended;
#[path = "sweep/figures.rs"]
mod figures;
#[path = "sweep/manifests.rs"]
mod manifests;
#[path = "sweep/points.rs"]
mod points;
mod program;
#[path = "sweep/project.rs"]
mod project;
#[path = "sweep/refused.rs"]
mod refused;
#[path = "sweep/tuned.rs"]
mod tuned;
