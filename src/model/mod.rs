//! The nouns: what the rest of the house talks about. No file formats, no decisions, no arithmetic of the host.
//!
//! Before you change it: these types are what the record is written with (`serde`), so a renamed field is a new record
//! format version (`record::FORMAT_VERSION`).

mod decision;
mod expectation;
mod host;
mod latencies;
mod load;
mod names;
mod observation;
mod policy;
mod sample;
mod scenario;
mod service;
mod stack;

pub use decision::Action;
pub use decision::Decision;
pub use decision::Guard;
pub use decision::Held;
pub use decision::Reason;
pub use decision::Resource;
pub use expectation::Aggregate;
pub use expectation::Bound;
pub use expectation::Comparison;
pub use expectation::Expectation;
pub use expectation::Measure;
pub use expectation::Metric;
pub use expectation::Quantity;
pub use expectation::Range;
pub use expectation::Subject;
pub use expectation::Tolerance;
pub use expectation::Windows;
pub use host::CoreGroup;
pub use host::Host;
pub use host::Price;
pub use latencies::Latencies;
pub use load::Load;
pub use load::Noise;
pub use load::Pattern;
pub use names::ServiceName;
pub use observation::HostSeen;
pub use observation::InstanceSeen;
pub use observation::InstanceState;
pub use observation::Observation;
pub use observation::ServiceSeen;
pub use observation::Usage;
pub use policy::Policy;
pub use policy::Vertical;
pub use sample::HostSample;
pub use sample::Incident;
pub use sample::Sample;
pub use sample::ServiceSample;
pub use scenario::Fault;
pub use scenario::FaultKind;
pub use scenario::Scenario;
pub use scenario::Sensors;
pub use service::Call;
pub use service::ServiceModel;
pub use service::Spread;
pub use service::Work;
pub use stack::Condition;
pub use stack::HealthCheck;
pub use stack::Limits;
pub use stack::Restart;
pub use stack::Service;
pub use stack::Stack;
