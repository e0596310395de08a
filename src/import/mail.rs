//! Owns what a Django module says of mail, as the settings of `notify::email`: ADMINS, SERVER_EMAIL,
//! EMAIL_SUBJECT_PREFIX. The server with its password is a variable, whatever the module says.

use super::express::quoted;
use super::plan::Setting;
use super::said::Said;
use super::value::{At, Entry, Node, Value, find};

/// What the module says of mail.
#[derive(Debug, Default)]
pub struct Mail {
    admins: Option<Node>,
    from: Option<String>,
    prefix: Option<String>,
    server: Option<String>,
    told: bool,
}

impl Mail {
    /// What is set of it among `names`.
    #[must_use]
    pub fn of(names: &[Entry]) -> Self {
        let text = |key: &str| match find(names, key).map(|entry| &entry.value.value) {
            Some(Value::Text(text)) if !text.is_empty() => Some(text.clone()),
            _ => None,
        };
        Self {
            admins: find(names, "ADMINS").map(|entry| entry.value.clone()),
            from: text("SERVER_EMAIL"),
            prefix: text("EMAIL_SUBJECT_PREFIX"),
            server: text("EMAIL_HOST"),
            told: false,
        }
    }

    /// The settings of a `notify::email` at `at`.
    pub fn settings(&mut self, at: At, said: &mut Said) -> Vec<Setting> {
        let to = self.to(at, said);
        let mut settings = vec![
            Setting { name: "to", text: to, at },
            Setting { name: "smtp_url", text: "env::secret(\"SMTP_URL\")".into(), at },
        ];
        let optional = [("from", &self.from), ("subject_prefix", &self.prefix)];
        settings.extend(
            optional
                .into_iter()
                .filter_map(|(name, text)| text.as_ref().map(|text| Setting { name, text: quoted(text), at })),
        );
        if !self.told {
            let host = self.server.as_deref().unwrap_or("host");
            let help = format!("such as `smtp://user:password@{host}:587`");
            said.warning(at, "mail goes through the server of the variable SMTP_URL, not through Django: set it", help);
            self.told = true;
        }
        settings
    }

    /// Who gets the mail.
    fn to(&self, at: At, said: &mut Said) -> String {
        let addresses: Vec<String> = match self.admins.as_ref().map(|node| &node.value) {
            Some(Value::List(people)) => people.iter().filter_map(address).collect(),
            _ => Vec::new(),
        };
        if addresses.is_empty() {
            if !self.told {
                let help = "set ADMIN_EMAIL, or write the addresses into `to`; until then they go to root@localhost";
                said.warning(at, "there is no ADMINS in this file: mail goes to the variable ADMIN_EMAIL", help);
            }
            return "env::get(\"ADMIN_EMAIL\", \"root@localhost\")".into();
        }
        format!("[{}]", addresses.join(", "))
    }
}

/// One of ADMINS: `("Ann", "ann@example.com")`, or the address alone.
fn address(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(address) => Some(quoted(address)),
        Value::List(pair) => match &pair[..] {
            [Node { value: Value::Text(name), .. }, Node { value: Value::Text(address), .. }] => {
                // A name with a comma or an angle bracket would be read as something else.
                let plain = name.chars().all(|c| c.is_alphanumeric() || " -'".contains(c)) && !name.is_empty();
                Some(if plain { quoted(&format!("{name} <{address}>")) } else { quoted(address) })
            }
            _ => None,
        },
        _ => None,
    }
}
