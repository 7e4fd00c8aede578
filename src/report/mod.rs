//! Everything that is read from a record: verdict, summary, plots, HTML, JSON, Markdown, JUnit.
