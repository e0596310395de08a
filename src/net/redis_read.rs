//! Owns the questions of scripts to Redis: each within a limit of size, told as the server worded it.

use redis::{FromRedisValue, RedisError as Fault, Value, from_redis_value};

use super::client::BODY_LIMIT;
use crate::world::{RedisError, RedisErrorKind, RedisQuestion, RedisServer, RedisValue};

/// What is asked for `question`: texts come by a range, so that no more than the limit is ever sent.
pub fn pipe(question: &RedisQuestion) -> redis::Pipeline {
    let mut pipe = redis::pipe();
    let key = &question.key;
    match question.command {
        "GET" => {
            pipe.cmd("EXISTS").arg(key).cmd("GETRANGE").arg(key).arg(0).arg(BODY_LIMIT);
        }
        "HGET" => {
            pipe.cmd("HSTRLEN").arg(key).arg(&question.arguments);
        }
        // Tells a key that does not exist from one that never expires.
        command => {
            pipe.cmd(command).arg(key).arg(&question.arguments);
        }
    }
    pipe
}

/// Whether the first answer asks for a second question: a field whose length fits.
pub fn second(
    question: &RedisQuestion,
    answers: &[Value],
    server: &RedisServer,
) -> Result<Option<redis::Pipeline>, RedisError> {
    if question.command != "HGET" {
        return Ok(None);
    }
    let length: u64 = answers.first().map_or(Ok(0), read).unwrap_or(0);
    check(length, question, server)?;
    let mut pipe = redis::pipe();
    pipe.cmd("HGET").arg(&question.key).arg(&question.arguments);
    Ok(Some(pipe))
}

/// What `answers` say.
pub fn value(question: &RedisQuestion, answers: &[Value], server: &RedisServer) -> Result<RedisValue, RedisError> {
    let strange = || RedisError {
        kind: RedisErrorKind::Wrong,
        message: format!("{server} does not answer {} as redis does", question.command),
    };
    let last = answers.last().ok_or_else(strange)?;
    let value = match question.command {
        "GET" if read::<i64>(&answers[0]).is_ok_and(|exists| exists == 0) => RedisValue::Nothing,
        "GET" | "HGET" | "LINDEX" => match last {
            Value::Nil => RedisValue::Nothing,
            _ => RedisValue::Text(text(last).ok_or_else(strange)?),
        },
        "ZSCORE" => match last {
            Value::Nil => RedisValue::Nothing,
            _ => RedisValue::Float(read(last).map_err(|_| strange())?),
        },
        "LRANGE" => match last {
            Value::Array(items) => RedisValue::List(items.iter().map(text).collect::<Option<_>>().ok_or_else(strange)?),
            _ => return Err(strange()),
        },
        // -2: there is no such key.
        "TTL" => match read(last).map_err(|_| strange())? {
            -2 => RedisValue::Nothing,
            seconds => RedisValue::Int(seconds),
        },
        _ => RedisValue::Int(read(last).map_err(|_| strange())?),
    };
    let size = match &value {
        RedisValue::Text(text) => text.len(),
        RedisValue::List(items) => items.iter().map(String::len).sum(),
        _ => 0,
    };
    check(size as u64, question, server)?;
    Ok(value)
}

fn check(size: u64, question: &RedisQuestion, server: &RedisServer) -> Result<(), RedisError> {
    if size <= BODY_LIMIT as u64 {
        return Ok(());
    }
    let key = String::from_utf8_lossy(&question.key);
    let message = format!("`{}` in {server} holds more than 1 MiB there", key.escape_debug());
    Err(RedisError { kind: RedisErrorKind::Wrong, message })
}

fn read<T: FromRedisValue>(value: &Value) -> Result<T, Fault> {
    from_redis_value(value.clone()).map_err(Fault::from)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Value::SimpleString(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}
