//! Owns how a number of things is told: "1 dyno", "2 dynos". Whatever a person reads is counted here.

/// `count` of `noun`, whose plural ends with an s: "1 tick", "3 ticks".
#[must_use]
pub fn counted(count: impl TryInto<u64>, noun: &str) -> String {
    // What does not fit is more than one.
    match count.try_into() {
        Ok(1) => format!("1 {noun}"),
        Ok(count) => format!("{count} {noun}s"),
        Err(_) => format!("many {noun}s"),
    }
}

/// "1 dyno", "2 dynos".
#[must_use]
pub fn dynos(count: u32) -> String {
    counted(count, "dyno")
}

/// "is" of one, "are" of any other number.
#[must_use]
pub fn are(count: u32) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_no_plural() {
        assert_eq!([0, 1, 2].map(dynos), ["0 dynos", "1 dyno", "2 dynos"]);
        assert_eq!(counted(1_usize, "measurement"), "1 measurement");
        assert_eq!(format!("{} {}", dynos(1), are(1)), "1 dyno is");
    }
}
