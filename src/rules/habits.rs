//! Owns the rules of habits: what other languages write, and this one writes otherwise.

use super::Rule;
use crate::settings::Severity;

/// A text in single quotes.
pub static SINGLE_QUOTES: Rule = Rule {
    id: "single-quotes",
    severity: Severity::Error,
    title: "a text in single quotes",
    doc: "Texts stand in double quotes or, with `${…}`, in backticks. Single quotes hold one character.",
};

/// `True` or `False`.
pub static TRUTH_WORD: Rule = Rule {
    id: "truth-word",
    severity: Severity::Error,
    title: "`True` or `False`",
    doc: "They are written `true` and `false`.",
};

/// `None`, `nil`, `null` or `undefined`.
pub static NOTHING_WORD: Rule = Rule {
    id: "nothing-word",
    severity: Severity::Error,
    title: "`None`, `nil`, `null` or `undefined`",
    doc: "A missing value is `()`.",
};

/// `and`, `or` or `not`.
pub static LOGIC_WORD: Rule = Rule {
    id: "logic-word",
    severity: Severity::Error,
    title: "`and`, `or` or `not`",
    doc: "They are written `&&`, `||` and `!`.",
};

/// `elif`, `elsif` or `elseif`.
pub static ELSE_IF: Rule = Rule {
    id: "else-if",
    severity: Severity::Error,
    title: "`elif`, `elsif` or `elseif`",
    doc: "It is two words: `else if`.",
};

/// `def`, `function` or `func`.
pub static FUNCTION_WORD: Rule = Rule {
    id: "function-word",
    severity: Severity::Error,
    title: "`def`, `function` or `func`",
    doc: "A function is written `fn name(x) { … }`.",
};

/// `lambda` or an arrow function.
pub static LAMBDA: Rule = Rule {
    id: "lambda",
    severity: Severity::Error,
    title: "`lambda` or an arrow function",
    doc: "A closure is written `|m| …`.",
};

/// `var`, or a variable without `let`.
pub static VARIABLE_WORD: Rule = Rule {
    id: "variable-word",
    severity: Severity::Error,
    title: "`var`, or a variable without `let`",
    doc: "A variable is declared with `let`, or with `const` if it never changes.",
};

/// A comment that starts with `#`.
pub static HASH_COMMENT: Rule = Rule {
    id: "hash-comment",
    severity: Severity::Error,
    title: "a comment that starts with `#`",
    doc: "Comments start with `//`. `#{` begins a map.",
};

/// A map without its `#`.
pub static PLAIN_BRACES: Rule = Rule {
    id: "plain-braces",
    severity: Severity::Error,
    title: "a map without its `#`",
    doc: "A map is written `#{ key: value }`; plain braces are a block.",
};

/// A text with a letter before its quote.
pub static FORMAT_STRING: Rule = Rule {
    id: "format-string",
    severity: Severity::Error,
    title: "a text with a letter before its quote",
    doc: "Values are put into a text in backticks: `` `${m.value} ms` ``.",
};

/// `x if a else b` or `a ? x : y`.
pub static CONDITIONAL_EXPRESSION: Rule = Rule {
    id: "conditional-expression",
    severity: Severity::Error,
    title: "`x if a else b` or `a ? x : y`",
    doc: "`if` is an expression: `if a { x } else { y }`.",
};

/// An operator of another language.
pub static FOREIGN_OPERATOR: Rule = Rule {
    id: "foreign-operator",
    severity: Severity::Error,
    title: "an operator of another language",
    doc: "`===` is `==`, `!==` is `!=`, `<>` is `!=`, `++` is `+= 1`, `//` begins a comment; entries of a map are \
        written `key: value`.",
};

/// A block that begins with `:`.
pub static COLON_BLOCK: Rule = Rule {
    id: "colon-block",
    severity: Severity::Error,
    title: "a block that begins with `:`",
    doc: "Blocks stand in braces: `if a { … }`.",
};

/// An import as Python writes it.
pub static PYTHON_IMPORT: Rule = Rule {
    id: "python-import",
    severity: Severity::Error,
    title: "an import as other languages write it",
    doc: "Imports are written `import \"lib/policies\" as policies;`; the environment is read with `env::get` \
        and `env::secret`.",
};

/// `import … from`, `process.env`.
pub static JAVASCRIPT_IMPORT: Rule = Rule {
    id: "javascript-import",
    severity: Severity::Error,
    title: "an import of JavaScript",
    doc: "Imports are written `import \"lib/policies\" as policies;`; `process.env.NAME` is `env::get(\"NAME\")`.",
};

/// A word of another language that has no place here.
pub static FOREIGN_WORD: Rule = Rule {
    id: "foreign-word",
    severity: Severity::Error,
    title: "a word of another language",
    doc: "`async`, `await`, `new`, `class`, `pub`, `match`, `case`, `then`, `pass`, `raise` and the like: the help says \
        what is written instead, or that it is left out.",
};

/// A function of another language's standard objects.
pub static FOREIGN_CALL: Rule = Rule {
    id: "foreign-call",
    severity: Severity::Error,
    title: "a call as other languages write it",
    doc: "`Math.max(a, b)` is `max(a, b)`, `console.log(x)` and `print x` are `print(x)`.",
};

/// `for (i = 0; i < n; i++)`.
pub static COUNTING_LOOP: Rule = Rule {
    id: "counting-loop",
    severity: Severity::Error,
    title: "`for (i = 0; i < n; i++)` or `for (x of list)`",
    doc: "`for` goes through a range or an array: `for i in 0..n { … }`, `for x in list { … }`.",
};

/// A type behind a name.
pub static TYPE_ANNOTATION: Rule = Rule {
    id: "type-annotation",
    severity: Severity::Error,
    title: "a type behind the name of a variable, a parameter or a function",
    doc: "Types are not written: leave them out.",
};

/// YAML in place of a script.
pub static YAML_PASTED: Rule = Rule {
    id: "yaml-pasted",
    severity: Severity::Error,
    title: "YAML in place of a script",
    doc: "A pipeline is declared by a call: `pipeline(\"web\", #{ … });`.",
};

/// An AUTOSCALE_SETTINGS of Python in place of a script.
pub static PYTHON_SETTINGS_PASTED: Rule = Rule {
    id: "python-settings-pasted",
    severity: Severity::Error,
    title: "an AUTOSCALE_SETTINGS of Python in place of a script",
    doc: "Each entry becomes a call of `pipeline`; the names of the settings are the same in lower case.",
};

/// All of them.
pub(super) static HABITS: &[&Rule] = &[
    &SINGLE_QUOTES,
    &TRUTH_WORD,
    &NOTHING_WORD,
    &LOGIC_WORD,
    &ELSE_IF,
    &FUNCTION_WORD,
    &LAMBDA,
    &VARIABLE_WORD,
    &HASH_COMMENT,
    &PLAIN_BRACES,
    &FORMAT_STRING,
    &CONDITIONAL_EXPRESSION,
    &FOREIGN_OPERATOR,
    &COLON_BLOCK,
    &PYTHON_IMPORT,
    &JAVASCRIPT_IMPORT,
    &FOREIGN_WORD,
    &FOREIGN_CALL,
    &COUNTING_LOOP,
    &TYPE_ANNOTATION,
    &YAML_PASTED,
    &PYTHON_SETTINGS_PASTED,
];
