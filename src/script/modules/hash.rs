//! Owns `hash::`: digests and keyed digests of texts, for what signs its messages. What is made with a
//! secret goes where that secret may go, and is never shown.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rhai::{Dynamic, Engine, Module, NativeCallContext, Position};
use sha2::{Digest, Sha256};

use super::http::part;
use super::secret::ScriptSecret;
use super::{Answered, placed};
use crate::request::Part;
use crate::script::diagnose::complaint;
use crate::script::entry::{Entry, Form, Stands, notifying, takes};

/// Bytes that SHA-256 takes at once.
const BLOCK: usize = 64;

/// What a key of Standard Webhooks begins with; base64 follows.
const PREFIX: &str = "whsec_";

/// What is registered here.
pub(super) static DOCS: &[Entry] = &[
    Entry {
        form: Form::Member("hash"),
        name: "sha256_hex",
        parameters: &[takes("text", "String | Secret")],
        gives: "String | Secret",
        doc: "The SHA-256 of a text, in hexadecimal; a secret where the text is one.",
        stands: Stands::Anywhere,
        example: notifying("print(hash::sha256_hex(event.message))"),
    },
    Entry {
        form: Form::Member("hash"),
        name: "hmac_sha256_hex",
        parameters: &[takes("key", "String | Secret"), takes("text", "String | Secret")],
        gives: "String | Secret",
        doc: "The keyed digest HMAC-SHA256 of a text, in hexadecimal; a secret where the key is one.",
        stands: Stands::Anywhere,
        example: notifying(
            r#"let signature = hash::hmac_sha256_hex(env::secret("KEY"), event.to_json());
log::info(signature);"#,
        ),
    },
    Entry {
        form: Form::Member("hash"),
        name: "hmac_sha256_base64",
        parameters: &[takes("key", "String | Secret"), takes("text", "String | Secret")],
        gives: "String | Secret",
        doc: "The keyed digest HMAC-SHA256 of a text, in base64; a secret where the key is one.",
        stands: Stands::Anywhere,
        example: notifying(
            r#"let signature = hash::hmac_sha256_base64(env::secret("KEY"), event.to_json());
log::info(signature);"#,
        ),
    },
    Entry {
        form: Form::Member("hash"),
        name: "webhook_signature",
        parameters: &[takes("key", "String | Secret"), takes("text", "String | Secret")],
        gives: "String | Secret",
        doc: "The signature of Standard Webhooks, for a key of `whsec_` with base64 behind it.",
        stands: Stands::Anywhere,
        example: notifying(
            r#"let signature = hash::webhook_signature(env::secret("KEY"), event.to_json());
log::info(signature);"#,
        ),
    },
];

/// Registers the module.
pub(super) fn register(engine: &mut Engine) {
    let mut module = Module::new();
    module.set_native_fn("sha256_hex", |native: NativeCallContext, text: Dynamic| {
        let made =
            part("`hash::sha256_hex`", &text).map(|text| kept(&[&text], || Ok(hex(&Sha256::digest(shown(&text))))));
        placed(&native, made.flatten())
    });
    keyed(&mut module, "hmac_sha256_hex", |key, text| Ok(hex(&hmac(key.as_bytes(), text))));
    keyed(&mut module, "hmac_sha256_base64", |key, text| Ok(STANDARD.encode(hmac(key.as_bytes(), text))));
    // The symmetric scheme `v1` of Standard Webhooks: https://www.standardwebhooks.com
    keyed(&mut module, "webhook_signature", |key, text| {
        let bytes = key.strip_prefix(PREFIX).and_then(|key| STANDARD.decode(key).ok()).filter(|key| !key.is_empty());
        let key = bytes.ok_or("the key is not `whsec_` with base64 behind it")?;
        Ok(format!("v1,{}", STANDARD.encode(hmac(&key, text))))
    });
    engine.register_static_module("hash", module.into());
}

fn keyed(module: &mut Module, name: &'static str, make: fn(&str, &[u8]) -> Result<String, &'static str>) {
    module.set_native_fn(name, move |native: NativeCallContext, key: Dynamic, text: Dynamic| {
        let what = format!("`hash::{name}`");
        let made = part(&what, &key).and_then(|key| {
            let text = part(&what, &text)?;
            kept(&[&key, &text], || {
                let wrong = |why| complaint(format!("{what}: {why}"), None, Position::NONE);
                make(shown(&key), shown(&text).as_bytes()).map_err(wrong)
            })
        });
        placed(&native, made)
    });
}

/// The text of a part that is known to be there.
fn shown(part: &Part) -> &str {
    part.expose().unwrap_or_default()
}

/// What is made of `parts`, as secret as they are.
fn kept(parts: &[&Part], make: impl FnOnce() -> Answered<String>) -> Answered<Dynamic> {
    let mut secret = None;
    for part in parts {
        match (part, secret) {
            (Part::Missing(name), _) => return Ok(Dynamic::from(ScriptSecret::Missing(name.clone()))),
            (Part::Secret(one), None) => secret = Some(one.extended("")),
            (Part::Secret(one), Some(known)) => secret = Some(crate::secret::Secret::bound_like(known, one)),
            (Part::Plain(_), known) => secret = known,
        }
    }
    let made = make()?;
    Ok(match secret {
        Some(secret) => Dynamic::from(ScriptSecret::Set(secret.extended(made))),
        None => made.into(),
    })
}

/// HMAC with SHA-256. Source: RFC 2104.
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        use std::fmt::Write as _;
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyed_digests_are_those_of_rfc_4231() {
        for (key, text, digest) in [
            (&[0x0b; 20][..], &b"Hi There"[..], "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            assert_eq!(hex(&hmac(key, text)), digest);
        }
    }
}
