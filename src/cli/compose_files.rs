//! The options that name Compose files, as Compose has them, and what is read from them.

use super::exit::Failure;
use super::inputs;
use super::printer::Printer;
use crate::input::catalog::Catalog;
use crate::input::compose;
use crate::input::compose::ComposeArgs;
use crate::input::compose::Loaded;
use crate::report::quoted;
use std::borrow::Cow;
use std::path::PathBuf;

/// Which Compose files, with what.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ComposeFiles {
    /// Compose file; repeat it for overrides. Without one it is searched for as Compose does.
    #[arg(long = "file", short = 'f', value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Profile to enable; may be repeated.
    #[arg(long = "profile", value_name = "PROFILE")]
    pub(super) profiles: Vec<String>,
    /// Env file to use instead of .env; may be repeated.
    #[arg(long = "env-file", value_name = "FILE")]
    pub(super) env_files: Vec<PathBuf>,
    /// Name of the project.
    #[arg(long, short, value_name = "NAME")]
    pub(super) project_name: Option<String>,
    /// Directory that paths are relative to; that of the first Compose file where not given.
    #[arg(long, value_name = "DIR")]
    pub(super) project_directory: Option<PathBuf>,
}

impl ComposeFiles {
    /// What the loader is asked for.
    pub(super) fn asked(&self) -> ComposeArgs {
        ComposeArgs {
            files: self.files.clone(),
            project_dir: self.project_directory.clone(),
            profiles: self.profiles.clone(),
            env_files: self.env_files.clone(),
            environment: inputs::environment(),
            project_name: self.project_name.clone(),
        }
    }

    /// These files with the other options, as they are typed in a shell for Compose and for us.
    pub(super) fn typed(&self, files: &[PathBuf]) -> String {
        let mut words: Vec<String> = Vec::new();
        let mut option = |name: &str, value: &str| words.push(format!("{name} {}", quoted(value)));
        files.iter().for_each(|file| option("-f", &inputs::shown(file)));
        self.profiles.iter().for_each(|profile| option("--profile", profile));
        self.env_files.iter().for_each(|file| option("--env-file", &inputs::shown(file)));
        self.project_name.iter().for_each(|name| option("-p", name));
        self.project_directory.iter().for_each(|folder| option("--project-directory", &inputs::shown(folder)));
        words.join(" ")
    }

    /// Reads the files, tells what is odd about them, and finds the catalog that goes with them.
    ///
    /// # Errors
    ///
    /// All that is wrong with the files and with the catalog.
    pub(super) fn load(&self, printer: &mut Printer) -> Result<(Loaded, Cow<'static, Catalog>), Failure> {
        let loaded = compose::load(&self.asked())?;
        let catalog = tell(&loaded, printer)?;
        Ok((loaded, catalog))
    }
}

/// Tells what is odd about files that were read, and finds the catalog that goes with them.
///
/// # Errors
///
/// All that is wrong with the catalog.
pub(super) fn tell(loaded: &Loaded, printer: &mut Printer) -> Result<Cow<'static, Catalog>, Failure> {
    printer.problems(&loaded.warnings);
    for file in &loaded.files_read {
        printer.detail(&format!("read {}", inputs::shown(file)));
    }
    Ok(Catalog::below(&loaded.folder)?)
}
