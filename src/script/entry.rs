//! Owns how everything that a script can call or read is described: one [`Entry`] each, in the table `DOCS`
//! of the file that registers it. Reference, definitions and suggestions are made of these tables, and a
//! test compares them with what the engine really knows.

/// The test beside a function that sends: whatever it asks of the example's host is answered.
const ANSWERED: &str = r#"
fn test_example() {
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
        for query in ["", "?name=mail"] {
            http::stub(method, "https://www.example.com/queue" + query, #{
                json: #{ waiting: 12 },
                headers: #{ "x-waiting": "12" },
            });
        }
    }
    let p = under_test("web");
    p.tick();
    assert(p.last().measurements[0].success, p.last().measurements[0].error ?? "");
}
"#;

/// One function, method or property.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// How it is reached.
    pub form: Form,
    /// Its name; empty for [`Form::Index`].
    pub name: &'static str,
    /// What it is called with, the value before the dot left out; those that may be left out come last.
    pub parameters: &'static [Parameter],
    /// What it gives, as in [`Parameter::kind`].
    pub gives: &'static str,
    /// What it does, in one or two sentences.
    pub doc: &'static str,
    /// Where it may be used.
    pub stands: Stands,
    /// How it is used; a test runs it.
    pub example: Example,
}

/// How something is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// `name(…)`.
    Function,
    /// `module::name(…)`.
    Member(&'static str),
    /// `value.name(…)`, of a value of this type.
    Method(&'static str),
    /// `value.name`.
    Property(&'static str),
    /// `value[i]`.
    Index(&'static str),
}

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// The names of the types it takes, with ` | ` between them; `?` is any.
    pub kind: &'static str,
    /// Whether it may be left out.
    pub optional: bool,
}

/// Where something may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// Everywhere.
    Anywhere,
    /// At the top of a script, or in functions called from there.
    Load,
    /// In functions that may reach the world.
    Reaching,
    /// In `measure` and `.map`.
    Measuring,
    /// In `decide`.
    Deciding,
    /// In `notify`.
    Notifying,
    /// In the tests of a script.
    Tests,
}

/// How something is used.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// What stands around the text.
    pub frame: Frame,
    /// The text.
    pub text: &'static str,
}

/// What stands around an example to make it a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Nothing: it is a script.
    Script,
    /// `measure: …`.
    Measure,
    /// `decide: …`.
    Decide,
    /// `scale: …`.
    Scale,
    /// `notify: …`.
    Notify,
    /// `measure: || { … }`.
    Measuring,
    /// `measure: || { … }`, which sends a request.
    Sending,
    /// `decide: |m| { … }`.
    Deciding,
    /// `notify: |event| { … }`.
    Notifying,
    /// `fn test_example() { … }`, beside a pipeline `web`.
    Testing,
}

/// A type of ours.
#[derive(Clone, Copy, Debug)]
pub struct Type {
    /// Its name in the tables.
    pub name: &'static str,
    /// As messages call a value of it.
    pub words: &'static str,
    /// What it is, in one sentence.
    pub doc: &'static str,
    /// What the engine's messages call it, at its end.
    pub(super) native: &'static str,
}

/// A parameter that must be given.
pub(super) const fn takes(name: &'static str, kind: &'static str) -> Parameter {
    Parameter { name, kind, optional: false }
}

/// A parameter that may be left out.
pub(super) const fn may_take(name: &'static str, kind: &'static str) -> Parameter {
    Parameter { name, kind, optional: true }
}

/// A property.
pub(super) const fn property(
    of: &'static str,
    name: &'static str,
    gives: &'static str,
    doc: &'static str,
    stands: Stands,
    example: Example,
) -> Entry {
    Entry { form: Form::Property(of), name, parameters: &[], gives, doc, stands, example }
}

/// The body of a `decide` function.
pub(super) const fn deciding(text: &'static str) -> Example {
    Example { frame: Frame::Deciding, text }
}

/// The body of a `notify` function.
pub(super) const fn notifying(text: &'static str) -> Example {
    Example { frame: Frame::Notifying, text }
}

/// The body of a `measure` function.
pub(super) const fn measuring(text: &'static str) -> Example {
    Example { frame: Frame::Measuring, text }
}

/// The body of a `measure` function that sends a request.
pub(super) const fn sending(text: &'static str) -> Example {
    Example { frame: Frame::Sending, text }
}

/// A whole script.
pub(super) const fn script(text: &'static str) -> Example {
    Example { frame: Frame::Script, text }
}

impl Entry {
    /// With what it belongs to, as it is looked up: `stats::mean`, `History.average`, `up`.
    #[must_use]
    pub fn title(&self) -> String {
        match self.form {
            Form::Function => self.name.into(),
            Form::Member(module) => format!("{module}::{}", self.name),
            Form::Method(of) | Form::Property(of) => format!("{of}.{}", self.name),
            Form::Index(of) => format!("{of}[…]"),
        }
    }

    /// As it is written: `stats::mean(of: History | Array) -> float | ()`.
    #[must_use]
    pub fn signature(&self) -> String {
        let parameters: Vec<String> = self.parameters.iter().map(Parameter::written).collect();
        let called = match self.form {
            Form::Property(_) => self.title(),
            Form::Index(of) => format!("{of}[{}]", parameters.join(", ")),
            Form::Function | Form::Member(_) | Form::Method(_) => {
                format!("{}({})", self.title(), parameters.join(", "))
            }
        };
        if self.gives == "()" { called } else { format!("{called} -> {}", self.gives) }
    }

    /// How many parameters it may be called with.
    #[must_use]
    pub fn counts(&self) -> std::ops::RangeInclusive<usize> {
        let required = self.parameters.iter().filter(|parameter| !parameter.optional).count();
        required..=self.parameters.len()
    }
}

impl Parameter {
    fn written(&self) -> String {
        format!("{}{}: {}", self.name, if self.optional { "?" } else { "" }, self.kind)
    }
}

impl Stands {
    /// Where that is, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Anywhere => "anywhere",
            Self::Load => "while the script loads",
            Self::Reaching => "in functions of `measure`, `scale` and `notify`",
            Self::Measuring => "in functions of `measure` and `.map`",
            Self::Deciding => "in functions of `decide`",
            Self::Notifying => "in functions of `notify`",
            Self::Tests => "in tests",
        }
    }
}

impl Frame {
    /// The word for it, behind `rhai` at the fence of an example; nothing for a whole script.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Script => "",
            Self::Measure => "measure",
            Self::Decide => "decide",
            Self::Scale => "scale",
            Self::Notify => "notify",
            Self::Measuring => "measuring",
            Self::Sending => "sending",
            Self::Deciding => "deciding",
            Self::Notifying => "notifying",
            Self::Testing => "testing",
        }
    }
}

impl Example {
    /// The script that it stands for.
    #[must_use]
    pub fn whole(&self) -> String {
        let stages = |[measure, decide, scale, notify]: [&str; 4]| {
            format!(
                "pipeline(\"web\", #{{\n    measure: {measure},\n    decide: {decide},\n    scale: {scale},\n    \
                 notify: {notify},\n    min_dynos: 1,\n    max_dynos: 5,\n}});\n"
            )
        };
        let scale = "#{ current: || 2, scale_to: |n| () }";
        let (measure, decide, notify) = ("|| 250", "|m| hold(\"an example\")", "notify::logger()");
        let text = self.text;
        match self.frame {
            Frame::Script => text.into(),
            Frame::Measure => stages([text, decide, scale, notify]),
            Frame::Decide => stages([measure, text, scale, notify]),
            Frame::Scale => stages([measure, decide, text, notify]),
            Frame::Notify => stages([measure, decide, scale, text]),
            Frame::Measuring => stages([&format!("|| {{\n{text}\n}}"), decide, scale, notify]),
            Frame::Sending => {
                format!("{}{ANSWERED}", stages([&format!("|| {{\n{text}\n}}"), decide, scale, notify]))
            }
            Frame::Deciding => stages([measure, &format!("|m| {{\n{text}\n}}"), scale, notify]),
            Frame::Notifying => stages([measure, decide, scale, &format!("|event| {{\n{text}\n}}")]),
            Frame::Testing => format!(
                "{}\nfn test_example() {{\n{text}\n}}\n",
                stages([measure, "decide::consecutive_threshold(#{})", scale, notify])
            ),
        }
    }
}
