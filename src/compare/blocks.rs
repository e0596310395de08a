//! Owns the page that the tables stand in: blocks between two comments are replaced, and every other word of
//! it stays as it was written.

use super::grid::Grid;
use super::tables::block;

/// The blocks that a page may have.
pub const BLOCKS: &[&str] = &["traces", "sweeps", "defaults", "each", "one-setting", "equal-service"];

/// What a new page begins as.
const TEMPLATE: &str = include_str!("page.md");

/// A page with all blocks, empty; `picture` is the file name of the drawing.
#[must_use]
pub fn template(picture: &str) -> String {
    TEMPLATE.replace("{picture}", picture)
}

/// `page` with its blocks filled in.
///
/// # Errors
/// When it has none, one that is not known, or one without an end.
pub fn fill(page: &str, grid: &Grid) -> Result<String, String> {
    const BEGIN: &str = "<!-- compare:";
    let mut filled = String::with_capacity(page.len());
    let mut rest = page;
    let mut found = false;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (name, after) = after.split_once(" -->").ok_or("a block begins with `<!-- compare:NAME -->`")?;
        let end = format!("<!-- /compare:{name} -->");
        let (_, after) = after.split_once(&end).ok_or_else(|| format!("the block `{name}` has no `{end}`"))?;
        filled.push_str(&format!("{before}{BEGIN}{name} -->\n\n{}\n{end}", block(grid, name)?));
        rest = after;
        found = true;
    }
    if !found {
        return Err(format!("it has no block `{BEGIN}NAME -->`, and so no place for a table"));
    }
    filled.push_str(rest);
    Ok(filled)
}
