//! Owns how figures are printed, and the median of rounds.

/// Prints `rows` in columns as wide as their widest cell; the first row is the heading.
pub fn print(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        println!("{}", cells.join("  ").trim_end());
    }
}

/// A row of texts.
pub fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

/// The middle of `values`, which are not empty.
pub fn median(values: &[f64]) -> f64 {
    percentile(values, 50.0)
}

/// The `p`-th percentile of `values`, nearest rank.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub fn percentile(values: &[f64], p: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (p / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// "0.9 (0.8 – 1.1)": the median of `values` and what they lie between.
pub fn spread(values: &[f64], decimals: usize) -> String {
    let (low, high) = (percentile(values, 0.0), percentile(values, 100.0));
    format!("{:.decimals$} ({low:.decimals$} – {high:.decimals$})", median(values))
}
