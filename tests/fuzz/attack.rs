//! What every target does: give the bytes to the loader of its format.

#[path = "../hostile/loaders.rs"]
#[expect(dead_code, reason = "the samples are for the stable tests")]
mod loaders;

/// Gives the bytes to the loader of this name.
pub(crate) fn attack(name: &str, bytes: &[u8]) {
    let loader = loaders::LOADERS.iter().find(|loader| loader.name == name).expect("a target names a loader");
    (loader.load)(bytes);
}
