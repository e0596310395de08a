//! Owns the page that the tables stand in: blocks between two comments are replaced, and every other word of
//! it stays as it was written.

/// The blocks that a page may have.
pub const BLOCKS: &[&str] = &["traces", "sweeps", "defaults", "each", "one-setting", "equal-service"];

/// What a new page begins as.
const TEMPLATE: &str = include_str!("page.md");

/// A page with all blocks, empty; `picture` is the file name of the drawing.
#[must_use]
pub fn template(picture: &str) -> String {
    TEMPLATE.replace("{picture}", picture)
}

/// `page` with its blocks filled in by `of`, which is given the name of each.
///
/// # Errors
/// When it has none, one that is not known, or one without an end.
pub fn fill(page: &str, of: impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
    const BEGIN: &str = "<!-- compare:";
    let mut filled = String::with_capacity(page.len());
    let mut rest = page;
    let mut found = false;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (name, after) = after.split_once(" -->").ok_or("a block begins with `<!-- compare:NAME -->`")?;
        let end = format!("<!-- /compare:{name} -->");
        let (_, after) = after.split_once(&end).ok_or_else(|| format!("the block `{name}` has no `{end}`"))?;
        let made = of(name)?;
        for part in [before, BEGIN, name, " -->\n\n", made.as_str(), "\n", end.as_str()] {
            filled.push_str(part);
        }
        rest = after;
        found = true;
    }
    if !found {
        return Err(format!("it has no block `{BEGIN}NAME -->`, and so no place for a table"));
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_replaced_and_nothing_else() {
        let page = "# A\n<!-- compare:each -->\nold\n<!-- /compare:each -->\nkept\n<!-- compare:traces --><!-- /compare:traces -->\n";
        let known = |name: &str| Ok(format!("table of {name}\n"));
        let once = fill(page, known).unwrap();
        assert_eq!(
            once,
            "# A\n<!-- compare:each -->\n\ntable of each\n\n<!-- /compare:each -->\nkept\n\
             <!-- compare:traces -->\n\ntable of traces\n\n<!-- /compare:traces -->\n"
        );
        assert_eq!(fill(&once, known).unwrap(), once);
        assert!(fill("nothing", known).unwrap_err().contains("no place for a table"));
        assert!(fill("<!-- compare:each -->", known).unwrap_err().contains("has no `<!-- /compare:each -->`"));
        assert!(fill(page, |name| Err(format!("no {name}"))).is_err());
    }

    #[test]
    fn a_new_page_has_every_block() {
        let page = template("policies.svg");
        assert!(page.contains("(policies.svg)"));
        let filled =
            fill(&page, |name| if BLOCKS.contains(&name) { Ok(format!("<{name}>")) } else { Err(name.into()) });
        assert!(BLOCKS.iter().all(|name| filled.as_ref().unwrap().contains(&format!("<{name}>"))), "{filled:?}");
    }
}
