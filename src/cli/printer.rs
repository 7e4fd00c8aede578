//! The only place that prints. Before you change it:
//! 1. Data goes to stdout, everything else to stderr; `-q` silences notes, never data or errors.
//! 2. Text may carry styles; they are taken out here where the stream is not to be coloured. No meaning by colour alone.
//! 3. A reader that goes away (`plimsoll … | head`) ends the output, not the command: its exit code stays true.

use super::exit::Failure;
use super::output;
use crate::input::problem::Problems;
use anstream::AutoStream;
use anstream::ColorChoice;
use clap::builder::styling::AnsiColor;
use clap::builder::styling::Style;
use indicatif::ProgressBar;
use indicatif::ProgressDrawTarget;
use indicatif::ProgressStyle;
use std::io::IsTerminal;
use std::io::Write;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum Color {
    // On a terminal, unless `NO_COLOR` is set; with `CLICOLOR_FORCE` everywhere.
    #[default]
    Auto,
    Always,
    Never,
}

/// How much to say beside the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Talk {
    /// Errors and warnings only.
    Quiet,
    /// What a person wants to know.
    #[default]
    Normal,
    /// How it came about, too.
    Verbose,
}

/// Where all output goes.
pub(super) struct Printer {
    out: AutoStream<std::io::Stdout>,
    err: AutoStream<std::io::Stderr>,
    err_color: bool,
    talk: Talk,
    width: usize,
    lost: Option<std::io::Error>,
}

/// Width where the output is not a terminal: wide enough for every table, the same everywhere.
const WIDTH_PIPED: usize = 120;
/// Narrower than this no table is readable, so lines may wrap instead.
const WIDTH_MIN: usize = 60;

impl Printer {
    /// A printer for this process.
    #[must_use]
    pub(super) fn new(color: Color, talk: Talk) -> Self {
        let choice = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        let out = AutoStream::new(std::io::stdout(), choice);
        let err = AutoStream::new(std::io::stderr(), choice);
        let err_color = err.current_choice() != ColorChoice::Never;
        Self { out, err, err_color, talk, width: width(), lost: None }
    }

    /// Columns that output may use.
    #[must_use]
    pub(super) const fn width(&self) -> usize {
        self.width
    }

    /// Prints what was asked for. A line end is added where there is none.
    pub(super) fn data(&mut self, text: &str) {
        if self.lost.is_some() || text.is_empty() {
            return;
        }
        let end = if text.ends_with('\n') { "" } else { "\n" };
        if let Err(error) = write!(self.out, "{text}{end}").and_then(|()| self.out.flush()) {
            self.lost = Some(error);
        }
    }

    /// Prints JSON that was asked for.
    pub(super) fn json(&mut self, value: &serde_json::Value) {
        self.data(&format!("{value:#}"));
    }

    /// Tells a person something beside the data.
    pub(super) fn note(&mut self, text: &str) {
        if self.talk != Talk::Quiet && !text.is_empty() {
            self.stderr(text);
        }
    }

    /// Whether a person can be asked.
    pub(super) fn is_terminal() -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Asks a person one question; an empty answer is what was proposed.
    ///
    /// # Errors
    ///
    /// Where nobody answers any more.
    pub(super) fn ask(&mut self, question: &str, proposed: &str) -> Result<String, Failure> {
        let _ = write!(self.err, "{question} [{proposed}]: ").and_then(|()| self.err.flush());
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        let ended = || Failure::Environment("the questions were not answered; `--yes` asks none".to_owned());
        match read {
            Ok(0) | Err(_) => Err(ended()),
            Ok(_) if answer.trim().is_empty() => Ok(proposed.to_owned()),
            Ok(_) => Ok(answer.trim().to_owned()),
        }
    }

    /// Tells how it came about, for `-v`.
    pub(super) fn detail(&mut self, text: &str) {
        if self.talk == Talk::Verbose {
            self.stderr(text);
        }
    }

    /// Shows what is wrong with the input, errors and warnings, with a blank line after them.
    pub(super) fn problems(&mut self, problems: &Problems) {
        if !problems.is_empty() {
            let text = problems.render(self.width, self.err_color);
            self.stderr(&format!("{text}\n\n"));
        }
    }

    /// Shows what stopped a command.
    pub(super) fn failure(&mut self, failure: &Failure) {
        match failure {
            Failure::Input(problems) => self.stderr(&problems.render(self.width, self.err_color)),
            Failure::Environment(message) => self.error(message),
            Failure::Bug(message) => {
                self.error(message);
                self.stderr("this is a bug in plimsoll: please report it with the command you ran");
            }
        }
    }

    /// Shows text that another library made for stderr, such as a usage error.
    pub(super) fn error_text(&mut self, text: &str) {
        self.stderr(text);
    }

    /// A bar over so many steps, drawn on stderr where that is a terminal, and nowhere else.
    #[must_use]
    pub(super) fn progress(&self, steps: u64, what: &str) -> ProgressBar {
        let what: String = what.chars().filter(|c| !c.is_control()).take(28).collect();
        if self.talk == Talk::Quiet || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{msg} [{wide_bar}] {percent:>3}%  {elapsed}, {eta} left")
            .map_or_else(|_| ProgressStyle::default_bar(), |style| style.progress_chars("##-"));
        ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr_with_hz(10))
            .with_style(style)
            .with_message(what)
    }

    /// The first failure to write data that was not a reader going away.
    ///
    /// # Errors
    ///
    /// Where data was lost: a full disk, a closed terminal.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self.lost {
            Some(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Failure::Environment(format!("cannot write to stdout: {}", output::said(&error))))
            }
            _ => Ok(()),
        }
    }

    fn error(&mut self, message: &str) {
        self.stderr(&format!("{}: {message}", paint(BAD, "error")));
    }

    /// What cannot be told cannot be told: a failure to write to stderr has nowhere to go.
    fn stderr(&mut self, text: &str) {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let _ = write!(self.err, "{text}{end}");
    }
}

/// What passed.
pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// What failed.
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What is worse, or wants attention.
pub(super) const WARN: Style = AnsiColor::Yellow.on_default().bold();
/// What heads a table or a paragraph.
pub(super) const HEAD: Style = Style::new().bold();
/// What may be skipped.
pub(super) const FAINT: Style = Style::new().dimmed();

/// Text in a style.
#[must_use]
pub(super) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

fn width() -> usize {
    let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    let terminal = || terminal_size::terminal_size_of(std::io::stdout()).map(|(columns, _)| usize::from(columns.0));
    asked.or_else(terminal).unwrap_or(WIDTH_PIPED).max(WIDTH_MIN)
}
