//! The values of the gitlab-runner Helm chart, and the manifests that come of them: a runner's
//! TOML in a scalar.

mod templates;

use std::rc::Rc;

pub use self::templates::Templates;
use super::{
    embedded::Embedding,
    model::runner::{Configuration, Executor, Runner},
    problem::{Remark, SyntaxError},
    runner,
    source::{FileId, Files, Place, Source},
    yaml::{Entry, Mapping, Node, Scalar, Value},
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

/// What the chart of a runner reads beside its configuration.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// The key `runners`.
    runners: &'a Entry,
    /// The runner's image: a mapping, and a text in old charts.
    image: Option<&'a Node>,
    /// Nothing says what the runner's configuration is, so it is the chart's own.
    pub is_without_configuration: bool,
}

/// Keys of the chart's values that no pipeline has.
const CHART_KEYS: &[&str] = &["gitlabUrl", "runnerRegistrationToken", "runnerToken"];

/// The chart's own name, under which another chart has its values.
const CHART: &str = "gitlab-runner";

/// Whether a file is the chart's values, rather than a pipeline with a job `runners`.
pub fn are_values(root: &Mapping) -> bool {
    let of_chart = || values_in(root).is_some();
    let of_subchart = || {
        root.get(CHART)
            .is_some_and(|node| node.get("runners").is_some())
    };
    of_chart() || of_subchart()
}

/// The chart's values in these documents.
pub fn values(documents: &[Node]) -> Option<Values<'_>> {
    let root = documents.last()?.as_mapping()?;
    let chart = root.get(CHART).and_then(Node::as_mapping);
    let of_subchart = || {
        let chart = chart?;
        Some(Values::of(chart.entry("runners")?, chart))
    };
    values_in(root).or_else(of_subchart)
}

fn values_in(root: &Mapping) -> Option<Values<'_>> {
    let entry = root.entry("runners")?;
    let runners = entry.value.as_mapping()?;
    let is_chart = CHART_KEYS.iter().any(|key| root.get(key).is_some())
        || (runners.get("config").is_some() && runners.get("script").is_none());
    is_chart.then(|| Values::of(entry, root))
}

impl<'a> Values<'a> {
    fn of(runners: &'a Entry, chart: &'a Mapping) -> Self {
        let config = runners.value.get("config");
        Self {
            runners,
            image: chart.get("image"),
            is_without_configuration: config.is_none_or(Node::is_null),
        }
    }

    /// What makes the chart's own runner: Kubernetes, and no word about privileges or volumes.
    pub fn default_configuration(&self) -> Configuration {
        let place = self.runners.key.place();
        Configuration {
            runners: vec![Runner::new(place, Executor::Kubernetes)],
            ..Configuration::default()
        }
    }

    /// The place of `privileged: true` beside the configuration.
    pub fn privileged(&self) -> Option<Place> {
        let privileged = self.runners.value.get("privileged")?;
        (privileged.as_str() == Some("true")).then(|| privileged.place())
    }

    /// Whether the chart is certainly one that still reads it: it is as old as the runner that it
    /// names.
    pub fn are_of_an_old_chart(&self) -> bool {
        let image = self.image.and_then(|image| match image.as_mapping() {
            Some(image) => image.get("tag")?.as_str(),
            None => image.as_str(),
        });
        let version = image.and_then(major_version);
        version.is_some_and(|version| version < FIRST_WITHOUT_PRIVILEGED)
    }
}

/// The runner of chart 0.53, the first that reads of `runners` nothing that `config` can say.
const FIRST_WITHOUT_PRIVILEGED: u32 = 16;

/// That of a runner's image, whose tags are like `alpine-v15.3.3`.
fn major_version(image: &str) -> Option<u32> {
    let (_, version) = image.rsplit_once('v')?;
    version.split('.').next()?.parse().ok()
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
