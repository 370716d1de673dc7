//! What the init says, on stderr: text for people, or one JSON object a line (`DIND_LOG=json`).

use std::fmt;

use tracing::{Event, Level, Subscriber, field};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::{
    reasons::{Finding, Severity, printable},
    settings::LogFormat,
    system::stderr::Stderr,
};

/// Starts the log. A stderr that is closed or full never stops the init.
pub fn start(format: LogFormat) {
    let log = tracing_subscriber::fmt()
        .with_writer(|| Stderr)
        .with_max_level(Level::INFO)
        .log_internal_errors(false);
    // An error means that a log is already there, which only happens in tests.
    let _ = match format {
        LogFormat::Text => log.event_format(PlainText).try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_target(false).try_init(),
    };
}

/// Writes a finding, at the level of its severity.
pub fn finding(finding: &Finding) {
    let id = finding.reason.id;
    let severity = finding.severity;
    match severity {
        Severity::Fatal | Severity::Error => {
            tracing::error!(id, %severity, "{severity} {finding}");
        }
        Severity::Warning => tracing::warn!(id, %severity, "{severity} {finding}"),
        Severity::Note => tracing::info!(id, %severity, "{severity} {finding}"),
    }
}

/// `dind-init: message`: the lines stand among dockerd's own, so each says whose it is.
struct PlainText;

impl<S, N> FormatEvent<S, N> for PlainText
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        writer.write_str("dind-init: ")?;
        let mut message = Message {
            writer: &mut writer,
            result: Ok(()),
        };
        event.record(&mut message);
        message.result?;
        writer.write_char('\n')
    }
}

/// Writes the message of an event; its other fields are for machines and say nothing new.
struct Message<'a, 'w> {
    writer: &'a mut Writer<'w>,
    result: fmt::Result,
}

impl field::Visit for Message<'_, '_> {
    fn record_debug(&mut self, field: &field::Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let text = printable::lines(&format!("{value:?}"));
            self.result = self.writer.write_str(&text);
        }
    }
}
