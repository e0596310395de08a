//! Tests of readme: everything in the documentation is executed, compared or looked up. They own no
//! opinion of the engine: what a block shows must be what the built command does.

mod blocks;
mod deploy;
mod guards;
mod links;
mod markdown;
mod sandbox;
mod scripts;
mod tables;

use std::path::{Path, PathBuf};

use markdown::Page;

/// The repository's root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page of documentation: the Markdown files of the root and of docs/.
fn pages() -> Vec<Page> {
    let mut files: Vec<PathBuf> = [root().to_path_buf(), root().join("docs")]
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).expect("a folder of the repository"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.sort();
    assert!(files.len() > 5, "documentation is missing: {files:?}");
    files.iter().map(|file| Page::read(file)).collect()
}

/// The README.
fn readme() -> Page {
    Page::read(&root().join("README.md"))
}
