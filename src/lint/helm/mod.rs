//! The values of the gitlab-runner Helm chart, and the manifests that come of them: a runner's
//! TOML in a scalar.

mod templates;

use std::rc::Rc;

pub use self::templates::Templates;
use super::{
    embedded::Embedding,
    problem::{Remark, SyntaxError},
    runner::{self, configuration::Configuration},
    source::{FileId, Files, Source},
    yaml::{Mapping, Node, Scalar, Value},
};

/// The keys of a ConfigMap under which the chart keeps the TOML.
const CONFIG_MAP_KEYS: [&str; 2] = ["config.toml", "config.template.toml"];

/// How deep `runners.config` may lie: below a subchart's name, a release, `spec.values`.
const MAXIMAL_DEPTH: usize = 8;

/// A runner's TOML within a YAML file.
#[derive(Debug)]
pub struct EmbeddedConfiguration {
    /// The TOML as a file of its own.
    pub file: FileId,
    /// The chart writes it into the file itself.
    pub concurrent: Option<u64>,
    /// What the chart is yet to fill in.
    templates: Templates,
}

impl EmbeddedConfiguration {
    pub fn read(&self, files: &Files) -> Result<Configuration, Vec<SyntaxError>> {
        let text = files.get(self.file).text();
        runner::read(self.file, text, &self.templates).map_err(|mut errors| {
            let has_templates = !self.templates.is_empty();
            for error in errors.iter_mut().filter(|_| has_templates) {
                error.help =
                    "templates are not evaluated here: lint what `helm template` prints".to_owned();
            }
            errors
        })
    }

    /// What is not known of it, if that is of interest.
    pub fn remark(&self, configuration: &Configuration) -> Option<Remark> {
        let place = configuration.unknown.clone()?;
        let consequence = match configuration.runners.is_empty() {
            true => "no runner is there, and nothing is judged",
            false => "what they fill in is not judged",
        };
        Some(Remark {
            message: format!(
                "templates are not evaluated here, so {consequence}: lint what `helm template` \
                 prints"
            ),
            place,
            label: String::new(),
        })
    }
}

/// Every runner's TOML in these documents, added to `files`; none where they are something else.
pub fn find(host: FileId, documents: &[Node], files: &mut Files) -> Vec<EmbeddedConfiguration> {
    let mut found = Vec::new();
    for document in documents {
        search(document, MAXIMAL_DEPTH, &mut found);
    }
    let name = files.get(host).name().to_owned();
    let mut configurations = Vec::new();
    for Found { scalar, concurrent } in found {
        let templates = Templates::blank(&scalar.text);
        let text = templates.text.clone();
        let embedding = Embedding { host, scalar };
        configurations.push(EmbeddedConfiguration {
            file: files.add(Source::embedded(name.clone(), text, embedding)),
            concurrent,
            templates,
        });
    }
    configurations
}

struct Found {
    scalar: Rc<Scalar>,
    concurrent: Option<u64>,
}

fn search(node: &Node, depth: usize, found: &mut Vec<Found>) {
    let (Some(mapping), Some(depth)) = (node.as_mapping(), depth.checked_sub(1)) else {
        return;
    };
    for entry in mapping.iter() {
        let key = entry.key.as_str().unwrap_or_default();
        let config = match key {
            "runners" => entry.value.get("config"),
            key if CONFIG_MAP_KEYS.contains(&key) => Some(&entry.value),
            _ => None,
        };
        match config.map(|config| &config.value) {
            Some(Value::Scalar(scalar)) if !scalar.is_null() => found.push(Found {
                scalar: Rc::clone(scalar),
                concurrent: concurrent(mapping),
            }),
            _ => search(&entry.value, depth, found),
        }
    }
}

fn concurrent(mapping: &Mapping) -> Option<u64> {
    mapping.get("concurrent")?.as_str()?.parse().ok()
}
