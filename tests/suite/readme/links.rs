//! Owns the links of every page: the file is there, and so is the heading.

use super::markdown::Page;
use super::pages;

#[test]
fn every_link_leads_somewhere() {
    let mut wrong = Vec::new();
    for page in pages() {
        for link in page.links().into_iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.path.clone() } else { page.path.with_file_name("").join(file) };
            let found =
                target.exists() && (anchor.is_empty() || Page::read(&target).anchors().iter().any(|a| a == anchor));
            if !found {
                wrong.push(format!("{}: {link}", page.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "links to nothing:\n{}", wrong.join("\n"));
}
