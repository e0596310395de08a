//! Owns as much of Markdown as the pages use: fenced blocks, headings, links, tables and code spans.

use std::path::{Path, PathBuf};

/// One page.
pub struct Page {
    pub path: PathBuf,
    pub text: String,
}

/// One fenced block.
pub struct Block {
    /// The word after the fence.
    pub language: String,
    pub text: String,
    /// "README.md:12", of its first line.
    pub place: String,
}

impl Page {
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path: path.to_path_buf(), text }
    }

    /// The name a message calls it by.
    pub fn name(&self) -> String {
        self.path.strip_prefix(super::root()).unwrap_or(&self.path).display().to_string()
    }

    /// Every fenced block.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut open = false;
        for (number, line) in self.text.lines().enumerate() {
            match (line.strip_prefix("```"), open) {
                (Some(language), false) => {
                    let place = format!("{}:{}", self.name(), number + 2);
                    blocks.push(Block { language: language.trim().to_owned(), text: String::new(), place });
                    open = true;
                }
                (Some(_), true) => open = false,
                (None, true) => {
                    let block = blocks.last_mut().expect("a block is open");
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (None, false) => {}
            }
        }
        assert!(!open, "{}: a fence is not closed", self.name());
        blocks
    }

    /// The lines outside fenced blocks.
    pub fn prose(&self) -> Vec<&str> {
        let mut open = false;
        self.text
            .lines()
            .filter(|line| {
                let fence = line.starts_with("```");
                open ^= fence;
                !open && !fence
            })
            .collect()
    }

    /// The targets of `[text](target)`.
    pub fn links(&self) -> Vec<&str> {
        self.prose()
            .into_iter()
            .flat_map(|line| line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target)))
            .collect()
    }

    /// The headings, as anchors: "A good URL" is `a-good-url`.
    pub fn anchors(&self) -> Vec<String> {
        self.prose()
            .into_iter()
            .filter(|line| line.starts_with('#'))
            .map(|line| {
                let title = line.trim_start_matches('#').trim().to_lowercase();
                title
                    .chars()
                    .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                    .collect::<String>()
                    .replace(' ', "-")
            })
            .collect()
    }

    /// The code spans outside fenced blocks.
    pub fn spans(&self) -> Vec<&str> {
        self.prose().into_iter().flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
    }

    /// The cells of every table row.
    pub fn rows(&self) -> Vec<Vec<&str>> {
        self.prose()
            .into_iter()
            .filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'))
            .map(|line| line.split('|').map(str::trim).collect())
            .collect()
    }
}

#[test]
fn what_the_pages_use_is_understood() {
    let text = "# A `good` URL\n[a](b.md#c) `--json`\n\n| x | `y` |\n\n```rhai\nlet a = 1;\n```\n".to_owned();
    let page = Page { path: PathBuf::from("x.md"), text };
    assert_eq!(page.links(), ["b.md#c"]);
    assert_eq!(page.anchors(), ["a-good-url"]);
    assert_eq!(page.spans(), ["good", "--json", "y"]);
    assert_eq!(page.rows(), [["x", "`y`"]]);
    let block = &page.blocks()[0];
    assert_eq!((&*block.language, &*block.text, &*block.place), ("rhai", "let a = 1;\n", "x.md:7"));
}
