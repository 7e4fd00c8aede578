//! The columns of a table for the terminal.

/// Which columns of a table are shown, and how wide each of them is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns<const N: usize> {
    shown: Vec<usize>,
    widths: [usize; N],
}

impl<const N: usize> Columns<N> {
    /// Columns as wide as their cells. Where a line is wider than `width`, columns are left out in the order of `drop`, the
    /// least telling first; then the first column gives way, but not below `first_least`.
    pub(super) fn new<'a>(
        titles: &[&str; N],
        rows: impl Iterator<Item = &'a [String; N]>,
        drop: &[usize],
        first_least: usize,
        width: usize,
    ) -> Self {
        let mut widths = titles.map(|title| title.chars().count());
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut shown: Vec<usize> = (0..N).collect();
        let total = |shown: &[usize]| shown.iter().map(|column| widths[*column] + 2).sum::<usize>();
        for dropped in drop {
            if total(&shown) > width + 2 {
                shown.retain(|column| column != dropped);
            }
        }
        let others = total(&shown[1..]);
        widths[0] = widths[0].min(width.saturating_sub(others).max(first_least));
        Self { shown, widths }
    }

    /// Whether a column is shown.
    pub(super) fn shows(&self, column: usize) -> bool {
        self.shown.contains(&column)
    }

    /// A line of cells below each other; a cell that is too long ends in `…`.
    pub(super) fn line<T: AsRef<str>>(&self, cells: &[T; N]) -> String {
        let padded = self.shown.iter().map(|column| {
            let (cell, width) = (cells[*column].as_ref(), self.widths[*column]);
            let cell: String = if cell.chars().count() <= width {
                cell.to_owned()
            } else {
                cell.chars().take(width.saturating_sub(1)).chain(['…']).collect()
            };
            format!("{cell:<width$}")
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out_in_order_and_then_the_first_column_gives_way() {
        let titles = ["service", "cpu", "why"];
        let rows = [["a-long-name", "0.5", "because"].map(str::to_owned)];
        let lines = |width: usize| {
            let columns = Columns::new(&titles, rows.iter(), &[2, 1], 4, width);
            [columns.line(&titles), columns.line(&rows[0])]
        };
        assert_eq!(lines(25), ["service      cpu  why", "a-long-name  0.5  because"]);
        assert_eq!(lines(24), ["service      cpu", "a-long-name  0.5"]);
        assert_eq!(lines(15), ["service", "a-long-name"]);
        assert_eq!(lines(10), ["service", "a-long-na…"]);
        assert_eq!(lines(1), ["ser…", "a-l…"]);
    }
}
