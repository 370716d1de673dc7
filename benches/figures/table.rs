//! Rows of Markdown, and the statistics in them.

use std::{fmt, time::Duration};

/// The table's first two lines.
pub const HEAD: &str = "| what | measured | to reach | |\n| --- | --- | --- | --- |";

/// One figure and its bound.
pub struct Row {
    pub what: String,
    pub measured: String,
    pub bound: String,
    /// `None` where nothing was promised.
    pub reached: Option<bool>,
}

impl Row {
    /// A median, with the ninetieth percentile beside it.
    pub fn times(what: &str, times: &[Duration], bound: Option<Duration>) -> Self {
        let median = percentile(times, 50);
        Self {
            what: what.into(),
            measured: format!(
                "{:.1} ms (90th percentile {:.1} ms, {} rounds)",
                milliseconds(median),
                milliseconds(percentile(times, 90)),
                times.len()
            ),
            bound: bound.map_or(String::new(), |bound| format!("≤ {} ms", bound.as_millis())),
            reached: bound.map(|bound| median <= bound),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reached = match self.reached {
            Some(true) => "ok",
            Some(false) => "missed",
            None => "",
        };
        let Self {
            what,
            measured,
            bound,
            ..
        } = self;
        write!(f, "| {what} | {measured} | {bound} | {reached} |")
    }
}

/// The value below which `percent` of all lie (nearest rank).
pub fn percentile<T: Copy + PartialOrd>(values: &[T], percent: usize) -> T {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).expect("no NaN among them"));
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted[rank - 1]
}

pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
