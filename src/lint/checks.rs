//! The reasons of the catalogue that lint finds.

use super::rules;
use crate::reasons::Reason;

/// All of them, in the catalogue's order.
pub fn all() -> impl Iterator<Item = &'static Reason> {
    rules::found()
}

/// The check with this id, or the one that is probably meant.
pub fn parse(id: &str) -> Result<&'static Reason, String> {
    if let Some(reason) = all().find(|reason| reason.id.eq_ignore_ascii_case(id)) {
        return Ok(reason);
    }
    let id = id.to_ascii_uppercase();
    let nearest = all().min_by_key(|reason| strsim::osa_distance(reason.id, &id));
    // There is always one.
    let nearest = nearest.map_or("", |reason| reason.id);
    Err(format!("there is no check {id:?}; is {nearest} meant?"))
}

/// For `--list`: a line each.
pub fn list() -> String {
    let width = all()
        .map(|reason| reason.id.len())
        .max()
        .unwrap_or_default();
    let lines = all().map(|reason| {
        let severity = reason.severity.to_string();
        format!("{:width$}  {severity:7}  {}\n", reason.id, reason.summary)
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_id_is_told_its_nearest() {
        assert_eq!(parse("not-privileged").unwrap().id, "NOT-PRIVILEGED");
        let error = parse("CERTS-UNSHARD").unwrap_err();
        assert!(error.contains("is CERTS-UNSHARED meant?"), "{error}");
        // One that only a running service can find.
        assert!(parse("DAEMON-OOM").is_err());
    }
}
