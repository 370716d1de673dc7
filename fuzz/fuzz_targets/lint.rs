//! What `dind-init lint` may be given: whatever it is, it is judged without a panic, and every place
//! that is told lies in the file.
#![no_main]

use dind_init::testing::lint::{
    self,
    output::{Options, render},
    source::{Files, Place, Source},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut files = Files::default();
    files.add(Source::new("fuzzed", String::from_utf8_lossy(bytes)));
    let judgement = lint::lint(&mut files);
    let problems = judgement.problems.iter().map(|problem| &problem.place);
    let related = judgement
        .problems
        .iter()
        .flat_map(|problem| &problem.related);
    let remarks = judgement.remarks.iter().map(|remark| &remark.place);
    let errors = judgement.errors.iter().map(|error| &error.place);
    let places = problems
        .chain(related.map(|(place, _)| place))
        .chain(remarks)
        .chain(errors);
    for Place { file, span } in places {
        assert!(
            files.get(*file).text().get(span.clone()).is_some(),
            "{span:?}"
        );
    }
    render(&Options::default(), &judgement, &files);
});
