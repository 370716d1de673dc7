//! `.gitlab-ci.yml` as an interpreter reads it: included, extended and referred to.

use serde_yaml_ng::{Mapping, Value};

use crate::checkout::{Checkout, said};

/// The whole pipeline.
#[derive(Clone, Debug)]
pub struct Preview(pub Mapping);

impl Preview {
    /// Of this checkout; the interpreter checks it against GitLab's own JSON schema.
    pub fn read() -> Self {
        let text = interpret(&Checkout::new(), "--preview");
        Self(serde_yaml_ng::from_slice(&text).unwrap())
    }

    /// Every job that GitLab may run, with its name.
    pub fn jobs(&self) -> impl Iterator<Item = (&str, &Value)> {
        let entries = self.0.iter();
        let entries = entries.filter_map(|(name, job)| Some((name.as_str()?, job)));
        entries.filter(|(name, job)| !name.starts_with('.') && job.get("script").is_some())
    }

    pub fn job(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or_else(|| panic!("no job {name}"))
    }

    pub fn job_mut(&mut self, name: &str) -> &mut Mapping {
        let job = self.0.get_mut(name).and_then(Value::as_mapping_mut);
        job.unwrap_or_else(|| panic!("no job {name}"))
    }
}

/// What the interpreter prints of the pipeline that is checked out there.
pub fn interpret(checkout: &Checkout, option: &str) -> Vec<u8> {
    let found = checkout
        .command("tests/component/interpreter.sh", &[])
        .output()
        .unwrap();
    assert!(found.status.success(), "{}", said(&found));
    let interpreter = String::from_utf8_lossy(&found.stdout);
    let done = checkout.command(interpreter.trim(), &[option]).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{option}: {}", said(&done));
    done.stdout
}

/// The lines of a job's script.
pub fn script(job: &Value) -> String {
    let lines = job["script"].as_sequence().into_iter().flatten();
    let lines: Vec<_> = lines.filter_map(Value::as_str).collect();
    lines.join("\n")
}
