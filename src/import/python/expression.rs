//! Owns the value of an expression as far as it can be told without running it: literals, the names of constants
//! above it, arithmetic of those, and environment variables as the usual ways read them.

use ruff_python_ast::{Arguments, Expr, ExprCall, ExprDict, Number, Operator, UnaryOp};
use ruff_text_size::Ranged;

use super::super::value::{At, Entry, Lines, MOST_VALUES, Node, Value, Variable};

/// Reads expressions of one file, first to last.
pub struct Reader<'a> {
    text: &'a str,
    lines: &'a Lines<'a>,
    /// What the file has set so far.
    pub names: Vec<Entry>,
    /// How many values that came to.
    taken: usize,
}

impl<'a> Reader<'a> {
    /// A reader of `text`.
    pub fn new(text: &'a str, lines: &'a Lines<'a>) -> Self {
        Self { text, lines, names: Vec::new(), taken: 0 }
    }

    /// The place of `offset`.
    pub fn at(&self, offset: usize) -> At {
        self.lines.at(offset)
    }

    /// Whether there are more values than settings can have: what was read is not complete then.
    pub fn is_full(&self) -> bool {
        self.taken > MOST_VALUES
    }

    /// The value of `expression`.
    pub fn read(&mut self, expression: &Expr) -> Node {
        let at = self.at(expression.start().to_usize());
        self.taken += 1;
        if self.is_full() {
            return Node::new(at, Value::Nothing);
        }
        let value = match expression {
            Expr::NoneLiteral(_) => Value::Nothing,
            Expr::BooleanLiteral(flag) => Value::Flag(flag.value),
            Expr::NumberLiteral(number) => number_of(&number.value),
            Expr::StringLiteral(text) => Value::Text(text.value.to_str().to_owned()),
            Expr::List(list) => Value::List(list.elts.iter().map(|element| self.read(element)).collect()),
            Expr::Tuple(tuple) => Value::List(tuple.elts.iter().map(|element| self.read(element)).collect()),
            Expr::Dict(dict) => self.dict(dict),
            Expr::Name(name) => return self.named(at, name.id.as_str()),
            Expr::UnaryOp(unary) => {
                let inner = self.read(&unary.operand).value;
                signed(unary.op, inner).unwrap_or_else(|| self.code(expression))
            }
            Expr::BinOp(binary) => {
                let (left, right) = (self.read(&binary.left).value, self.read(&binary.right).value);
                calculated(left, binary.op, right).unwrap_or_else(|| self.code(expression))
            }
            Expr::Subscript(subscript) if is_environ(&subscript.value) => {
                match subscript.slice.as_string_literal_expr() {
                    Some(name) => Value::Variable(Variable { name: name.value.to_str().to_owned(), default: None }),
                    None => self.code(expression),
                }
            }
            Expr::Call(call) => self.call(call).unwrap_or_else(|| self.code(expression)),
            _ => self.code(expression),
        };
        Node::new(at, value)
    }

    /// What `name` was set to above.
    fn named(&mut self, at: At, name: &str) -> Node {
        let Some(entry) = self.names.iter().rev().find(|entry| entry.key == name) else {
            let why = format!("`{name}` is not set above, in this file; nothing is imported");
            return Node::new(at, Value::Code(why));
        };
        self.taken += entry.value.size();
        if self.is_full() { Node::new(at, Value::Nothing) } else { entry.value.clone() }
    }

    fn dict(&mut self, dict: &ExprDict) -> Value {
        let mut entries = Vec::new();
        for item in &dict.items {
            let value = self.read(&item.value);
            let Some(key) = &item.key else {
                match value.value {
                    Value::Map(others) => entries.extend(others),
                    _ => return self.code(&item.value),
                }
                continue;
            };
            let at = self.at(key.start().to_usize());
            let key = match self.read(key).value {
                Value::Text(key) => key,
                Value::Whole(number) => number.to_string(),
                _ => return Value::Code("a key of a dictionary is a text".into()),
            };
            entries.push(Entry { key, at, value });
        }
        Value::Map(entries)
    }

    fn call(&mut self, call: &ExprCall) -> Option<Value> {
        let arguments = &call.arguments;
        match &*call.func {
            Expr::Name(name) => match name.id.as_str() {
                "dict" if arguments.args.is_empty() => self.keywords(arguments),
                // What a variable holds is converted where it is used.
                "int" | "float" | "str" => match (&arguments.args[..], &arguments.keywords[..]) {
                    ([only], []) => match self.read(only).value {
                        value @ (Value::Variable(_) | Value::Whole(_)) => Some(value),
                        _ => None,
                    },
                    _ => None,
                },
                // os.getenv, and those of django-environ and python-decouple.
                "getenv" | "env" | "config" => self.variable(arguments),
                _ => None,
            },
            Expr::Attribute(attribute) => match attribute.attr.as_str() {
                "get" if is_environ(&attribute.value) => self.variable(arguments),
                "getenv" if is_name(&attribute.value, "os") => self.variable(arguments),
                "int" | "str" | "float" if is_name(&attribute.value, "env") => self.variable(arguments),
                _ => None,
            },
            _ => None,
        }
    }

    /// `dict(a=1, b=2)`.
    fn keywords(&mut self, arguments: &Arguments) -> Option<Value> {
        let mut entries = Vec::new();
        for keyword in &arguments.keywords {
            let name = keyword.arg.as_ref()?.as_str().to_owned();
            let at = self.at(keyword.start().to_usize());
            entries.push(Entry { key: name, at, value: self.read(&keyword.value) });
        }
        Some(Value::Map(entries))
    }

    /// A variable by its name and, perhaps, what counts where it is not set.
    fn variable(&mut self, arguments: &Arguments) -> Option<Value> {
        let (name, rest) = arguments.args.split_first()?;
        let name = name.as_string_literal_expr()?.value.to_str().to_owned();
        let named = arguments
            .keywords
            .iter()
            .find(|keyword| keyword.arg.as_ref().is_some_and(|name| name.as_str() == "default"));
        let default = rest.first().or(named.map(|keyword| &keyword.value)).map(|default| self.read(default));
        let default = default.filter(|default| default.value != Value::Nothing).map(Box::new);
        Some(Value::Variable(Variable { name, default }))
    }

    fn code(&self, expression: &Expr) -> Value {
        const MOST_SHOWN: usize = 60;
        let (start, end) = (expression.start().to_usize(), expression.end().to_usize());
        let written = self.text.get(start..end).unwrap_or_default().lines().next().unwrap_or_default();
        let mut shown: String = written.chars().take(MOST_SHOWN).collect();
        if shown.len() < written.len() {
            shown.push('…');
        }
        Value::Code(format!("`{shown}` is no value but code, and nothing is executed"))
    }
}

/// `os.environ` or `environ`.
fn is_environ(expression: &Expr) -> bool {
    match expression {
        Expr::Name(name) => name.id.as_str() == "environ",
        Expr::Attribute(attribute) => attribute.attr.as_str() == "environ" && is_name(&attribute.value, "os"),
        _ => false,
    }
}

fn is_name(expression: &Expr, name: &str) -> bool {
    expression.as_name_expr().is_some_and(|found| found.id.as_str() == name)
}

fn number_of(number: &Number) -> Value {
    match number {
        Number::Int(whole) => match whole.as_i64() {
            Some(whole) => Value::Whole(whole),
            None => Value::Code("the number is too large for any setting".into()),
        },
        Number::Float(number) => Value::Number(*number),
        Number::Complex { .. } => Value::Code("no setting is a complex number".into()),
    }
}

fn signed(operator: UnaryOp, value: Value) -> Option<Value> {
    match (operator, value) {
        (UnaryOp::UAdd, value @ (Value::Whole(_) | Value::Number(_))) => Some(value),
        (UnaryOp::USub, Value::Whole(whole)) => whole.checked_neg().map(Value::Whole),
        (UnaryOp::USub, Value::Number(number)) => Some(Value::Number(-number)),
        (UnaryOp::Not, Value::Flag(flag)) => Some(Value::Flag(!flag)),
        _ => None,
    }
}

/// Sums and products of numbers, joined texts and lists; `60 * 5` is a common way to write a time.
fn calculated(left: Value, operator: Operator, right: Value) -> Option<Value> {
    match (left, operator, right) {
        (Value::Whole(a), Operator::Add, Value::Whole(b)) => a.checked_add(b).map(Value::Whole),
        (Value::Whole(a), Operator::Sub, Value::Whole(b)) => a.checked_sub(b).map(Value::Whole),
        (Value::Whole(a), Operator::Mult, Value::Whole(b)) => a.checked_mul(b).map(Value::Whole),
        (Value::Text(a), Operator::Add, Value::Text(b)) => Some(Value::Text(a + b.as_str())),
        (Value::List(mut a), Operator::Add, Value::List(b)) => {
            a.extend(b);
            Some(Value::List(a))
        }
        (a, operator, b) => {
            let (a, b) = (number(&a)?, number(&b)?);
            let result = match operator {
                Operator::Add => a + b,
                Operator::Sub => a - b,
                Operator::Mult => a * b,
                Operator::Div => a / b,
                _ => return None,
            };
            result.is_finite().then_some(Value::Number(result))
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        // Past 2^53 no setting is meant.
        #[allow(clippy::cast_precision_loss)]
        Value::Whole(whole) => Some(*whole as f64),
        Value::Number(number) => Some(*number),
        _ => None,
    }
}
