//! Text of an expression as tokens, each knowing where it stands.

use std::ops::Range;

/// A piece of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind,
    pub(super) text: &'a str,
    pub(super) start: usize,
}

impl Token<'_> {
    /// Its bytes within the expression.
    pub(super) fn span(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }
}

/// What kind of piece it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name: `p95`, `latency.ziggie-api`, `of`.
    Word,
    /// Something that starts with a digit: `500ms`, `99.9%`, `60/s`, `20h`.
    Number,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// `..`
    Dots,
    /// `<`, `<=`, `>`, `>=`, `==`, and what people write by mistake: `=`, `!=`, `=<`, `=>`.
    Compare,
    /// A character that no expression has.
    Stray,
}

/// Cuts an expression into tokens. Never fails: what fits nowhere is a [`TokenKind::Stray`].
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return found };
        let (kind, length) = measure(rest, first);
        let start = text.len() - rest.len();
        found.push(Token { kind, text: &rest[..length], start });
        rest = &rest[length..];
    }
}

/// The kind of the token that `rest` begins with, and its length in bytes; at least one character.
fn measure(rest: &str, first: char) -> (TokenKind, usize) {
    let single = first.len_utf8();
    match first {
        '(' => (TokenKind::Open, single),
        ')' => (TokenKind::Close, single),
        ',' => (TokenKind::Comma, single),
        '<' | '>' | '=' | '!' => {
            let second = rest[single..].chars().next().filter(|next| matches!(next, '<' | '>' | '='));
            (TokenKind::Compare, single + second.map_or(0, char::len_utf8))
        }
        '.' if rest.starts_with("..") => (TokenKind::Dots, 2),
        '-' | '+' | '.' | '0'..='9' => number(rest),
        first if first.is_alphabetic() || first == '_' => {
            let end = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.'));
            (TokenKind::Word, end.unwrap_or(rest.len()))
        }
        _ => (TokenKind::Stray, single),
    }
}

/// A number with its unit. It stops before `..`, so that `20h..20h5m` is three tokens.
fn number(rest: &str) -> (TokenKind, usize) {
    let mut end = 1;
    for (at, character) in rest.char_indices().skip(1) {
        let inside = character.is_alphanumeric() || matches!(character, '.' | '%' | '/' | '_' | '-');
        if !inside || rest[at..].starts_with("..") {
            break;
        }
        end = at + character.len_utf8();
    }
    let kind = if rest[..end].contains(|c: char| c.is_ascii_digit()) { TokenKind::Number } else { TokenKind::Stray };
    (kind, end)
}
