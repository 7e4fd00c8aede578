//! Tokens to the parts of an expression. It knows the grammar, no names and no units.

use super::LENGTH_MAX;
use super::Scalar;
use super::codes;
use super::lexer;
use super::lexer::Token;
use super::lexer::TokenKind;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::model::Comparison;
use std::ops::Range;

/// Some text of the expression and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

/// What stands between the brackets.
#[derive(Debug, Clone)]
pub(super) enum Argument {
    /// A series, a service or a length of time.
    One(Part),
    /// `20h..20h5m`
    Between(Part, Part),
}

impl Argument {
    pub(super) fn span(&self) -> Range<usize> {
        match self {
            Self::One(part) => part.span.clone(),
            Self::Between(from, to) => from.span.start..to.span.end,
        }
    }
}

/// An expression, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Raw {
    pub(super) function: Part,
    pub(super) arguments: Vec<Argument>,
    /// From the opening to the closing bracket.
    pub(super) brackets: Range<usize>,
    pub(super) comparison: Comparison,
    pub(super) bound: Part,
    /// `of limit` follows the bound.
    pub(super) of_limit: bool,
    /// `for SHARE of LENGTH`
    pub(super) windows: Option<(Part, Part)>,
    /// `in SHARE of seeds`
    pub(super) seeds: Option<Part>,
}

/// Takes an expression apart.
pub(super) fn parse(scalar: &Scalar<'_>) -> Result<Raw, Problems> {
    check_length(scalar)?;
    let mut cursor = Cursor { scalar, tokens: lexer::tokens(scalar.text), next: 0 };
    cursor.expression().map_err(Problems::from)
}

fn check_length(scalar: &Scalar<'_>) -> Result<(), Problem> {
    let length = scalar.text.len();
    if length <= LENGTH_MAX {
        return Ok(());
    }
    let problem = Problem::error(&codes::SYNTAX, format!("an expression of {length} bytes is too long"));
    Err(scalar.at(problem.help(format!("at most {LENGTH_MAX} bytes")), 0..length))
}

/// Takes an expression without a comparison apart; one with zero stands for what it does not have.
pub(super) fn measure(scalar: &Scalar<'_>) -> Result<Raw, Problems> {
    let text = scalar.text;
    check_length(scalar)?;
    let mut cursor = Cursor { scalar, tokens: lexer::tokens(text), next: 0 };
    let (function, arguments, brackets) = cursor.series().map_err(Problems::from)?;
    if let Some(token) = cursor.peek() {
        let problem = Problem::error(&codes::SYNTAX, format!("`{}` is one too many here", token.text));
        let help = "what is measured has no comparison: `p95(latency.api)`; what must hold stands under `expect`";
        return Err(scalar.at(problem.help(help), token.span()).into());
    }
    let bound = Part { text: "0".to_owned(), span: 0..text.len() };
    let comparison = Comparison::AtMost;
    Ok(Raw { function, arguments, brackets, comparison, bound, of_limit: false, windows: None, seeds: None })
}

struct Cursor<'a> {
    scalar: &'a Scalar<'a>,
    tokens: Vec<Token<'a>>,
    next: usize,
}

impl<'a> Cursor<'a> {
    /// `p95(latency.api, 20h..21h)`: the function, what stands in the brackets, and where these are.
    fn series(&mut self) -> Result<(Part, Vec<Argument>, Range<usize>), Problem> {
        let function = self.take(TokenKind::Word, "a function such as `p95` or `max`")?;
        let open = match self.peek() {
            Some(token) if token.kind == TokenKind::Open => self.take(TokenKind::Open, "`(`")?,
            _ => return Err(self.without_function(&function)),
        };
        let arguments = self.arguments()?;
        let close = self.take(TokenKind::Close, "`)` or `, 30m` or `, 20h..21h`")?;
        Ok((function, arguments, open.span.start..close.span.end))
    }

    fn expression(&mut self) -> Result<Raw, Problem> {
        let (function, arguments, brackets) = self.series()?;
        let comparison = self.comparison()?;
        let bound = self.figure("a figure such as `500ms`, `0.5%` or `12 USD`")?;
        let of_limit = self.word_is("of");
        if of_limit {
            self.next += 1;
            self.keyword("limit")?;
        }
        let windows = if self.word_is("for") { Some(self.windows()?) } else { None };
        let seeds = if self.word_is("in") { Some(self.seeds()?) } else { None };
        if let Some(token) = self.peek() {
            let problem = Problem::error(&codes::SYNTAX, format!("`{}` is one too many here", token.text));
            let help =
                "after the figure come `of limit`, `for 99% of 5m` and `in 95% of seeds`, in this order, or nothing";
            return Err(self.scalar.at(problem.help(help), token.span()));
        }
        Ok(Raw { function, arguments, brackets, comparison, bound, of_limit, windows, seeds })
    }

    fn arguments(&mut self) -> Result<Vec<Argument>, Problem> {
        let mut found = Vec::new();
        loop {
            let expected = if found.is_empty() { "a series such as `latency.api`" } else { "`30m` or `20h..21h`" };
            let first = self.name_or_number(expected)?;
            if self.peek().is_some_and(|token| token.kind == TokenKind::Dots) {
                self.next += 1;
                let last = self.name_or_number("the end of the range, such as `21h`")?;
                found.push(Argument::Between(first, last));
            } else {
                found.push(Argument::One(first));
            }
            if self.peek().is_none_or(|token| token.kind != TokenKind::Comma) {
                return Ok(found);
            }
            self.next += 1;
        }
    }

    fn comparison(&mut self) -> Result<Comparison, Problem> {
        let expected = "a comparison: `<`, `<=`, `>`, `>=` or `==`";
        let sign = self.take(TokenKind::Compare, expected)?;
        let instead = match sign.text.as_str() {
            "<" => return Ok(Comparison::Less),
            "<=" => return Ok(Comparison::AtMost),
            ">" => return Ok(Comparison::More),
            ">=" => return Ok(Comparison::AtLeast),
            "==" => return Ok(Comparison::Equal),
            "=" => "did you mean `==`?",
            "=<" => "did you mean `<=`?",
            "=>" => "did you mean `>=`?",
            _ => "use one of `<`, `<=`, `>`, `>=`, `==`",
        };
        let problem = Problem::error(&codes::SYNTAX, format!("`{}` is no comparison, {instead}", sign.text));
        Err(self.scalar.at(problem, sign.span))
    }

    fn windows(&mut self) -> Result<(Part, Part), Problem> {
        self.next += 1;
        let share = self.figure("a share of the windows, such as `99%`")?;
        self.keyword("of")?;
        let length = self.figure("the length of a window, such as `5m`")?;
        Ok((share, length))
    }

    fn seeds(&mut self) -> Result<Part, Problem> {
        self.next += 1;
        let share = self.figure("a share of the seeds, such as `95%`")?;
        self.keyword("of")?;
        self.keyword("seeds")?;
        Ok(share)
    }

    /// A number, with its unit where that stands apart: `12 USD`.
    fn figure(&mut self, expected: &str) -> Result<Part, Problem> {
        let mut figure = self.take(TokenKind::Number, expected)?;
        let bare = figure.text.ends_with(|c: char| c.is_ascii_digit());
        let unit = self.peek().filter(|token| {
            let keyword = matches!(token.text, "of" | "for" | "in");
            token.kind == TokenKind::Word && !keyword || token.text == "%"
        });
        if let Some(unit) = unit.cloned().filter(|_| bare) {
            self.next += 1;
            let separator = if unit.kind == TokenKind::Word { " " } else { "" };
            figure.text = format!("{}{separator}{}", figure.text, unit.text);
            figure.span.end = unit.span().end;
        }
        Ok(figure)
    }

    fn name_or_number(&mut self, expected: &str) -> Result<Part, Problem> {
        match self.peek().map(|token| token.kind) {
            Some(TokenKind::Number) => self.take(TokenKind::Number, expected),
            _ => self.take(TokenKind::Word, expected),
        }
    }

    fn word_is(&self, word: &str) -> bool {
        self.peek().is_some_and(|token| token.kind == TokenKind::Word && token.text == word)
    }

    fn keyword(&mut self, word: &str) -> Result<(), Problem> {
        if self.word_is(word) {
            self.next += 1;
            return Ok(());
        }
        Err(self.unexpected(&format!("`{word}`")))
    }

    fn take(&mut self, kind: TokenKind, expected: &str) -> Result<Part, Problem> {
        match self.peek() {
            Some(token) if token.kind == kind => {
                let part = Part { text: token.text.to_owned(), span: token.span() };
                self.next += 1;
                Ok(part)
            }
            _ => Err(self.unexpected(expected)),
        }
    }

    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.next)
    }

    fn unexpected(&self, expected: &str) -> Problem {
        let end = self.scalar.text.trim_end().len();
        match self.peek() {
            Some(token) => {
                let problem = Problem::error(&codes::SYNTAX, format!("expected {expected}, found `{}`", token.text));
                self.scalar.at(problem, token.span())
            }
            None => {
                let problem = Problem::error(&codes::SYNTAX, format!("expected {expected}, but the expression ends"));
                self.scalar.at(problem.help(EXAMPLE), end.saturating_sub(1)..end)
            }
        }
    }

    /// `latency.api < 1s`: a series where a function should be.
    fn without_function(&self, name: &Part) -> Problem {
        if super::vocabulary::function(&name.text).is_some() {
            return self.unexpected(&format!("`(` after `{}`", name.text));
        }
        let message = format!("`{}` needs a function that makes one number of it", name.text);
        let problem = Problem::error(&codes::SYNTAX, message).help(EXAMPLE);
        self.scalar.at(problem, name.span.clone())
    }
}

const EXAMPLE: &str = "write it like `p95(latency.api) <= 500ms`, `max(memory.db) < 90% of limit` or `count(oom) == 0`";
