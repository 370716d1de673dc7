//! `dind-init lint`: the mistake is found before the pod exists.
//!
//! Reading (text → documents whose values know their places), judging (documents → [`Problem`]s of
//! the catalogue, pure), speaking ([`output`]) and repairing are apart.
//!
//! [`Problem`]: problem::Problem

pub mod checks;
pub mod discovery;
mod embedded;
mod helm;
mod ignoring;
pub mod input;
mod judged;
mod model;
pub mod output;
pub mod pipeline;
pub mod problem;
pub mod repair;
pub mod rules;
pub mod runner;
mod scene;
pub mod secrets;
pub mod source;
pub mod yaml;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use self::{
    helm::Templates,
    judged::Judged,
    model::{
        RunnerVariables, Surroundings, Variable,
        runner::{Configuration, Executor, MisspeltKey, Runner},
    },
    pipeline::Pipeline,
    problem::{Judgement, Remark, SyntaxError},
    scene::{OneJob, OneRunner, Outside, Scene, certificate_directories},
    source::{FileId, Files, Place, Source, Span},
};
use crate::reasons::Reason;

/// Judges all files, together. What lies within one of them is added to them.
pub fn lint(files: &mut Files) -> Judgement {
    lint_ignoring(files, &[])
}

/// The same, with these reasons passed over.
pub fn lint_ignoring(files: &mut Files, ignored: &[&'static Reason]) -> Judgement {
    let mut judgement = Judgement::default();
    let given = files.iter().filter(|(_, source)| source.is_readable());
    let given: Vec<FileId> = given.map(|(file, _)| file).collect();
    let mut documents = Documents::default();
    for file in given {
        if let Err(errors) = documents.read(file, files) {
            judgement.errors.extend(errors);
        }
    }
    documents.put_together(files);
    documents.give_the_runners_variables();
    let surroundings = documents.surroundings();
    let jobs = documents.jobs(&surroundings);
    let directories = certificate_directories(&jobs);
    let scene = Scene {
        runners: documents.runners_in(files, directories.as_deref()),
        jobs,
        duplicates: &documents.duplicates,
        outside: &documents.outside,
        misspelt_keys: documents.misspelt_keys(),
    };
    judgement.extend(rules::judge(&scene));
    judgement.judged = Judged::of(documents.runners(), &scene.jobs);
    let pipelines = documents.pipelines.iter();
    let remarks = pipelines.flat_map(|pipeline| pipeline.remarks.clone());
    judgement.remarks.extend(remarks);
    judgement.remarks.append(&mut documents.remarks);
    embedded::lift(&mut judgement, files);
    ignoring::apply(&mut judgement, ignored, files);
    judgement.sort();
    judgement.merge();
    judgement.truncate();
    judgement.make_presentable(files);
    judgement
}

/// What the files say: told by what is in them, since their names may be anything.
#[derive(Default)]
struct Documents {
    configurations: Vec<(FileId, Configuration)>,
    /// What is YAML, and the files among it in which a runner's configuration lies.
    documents: Vec<(FileId, yaml::Documents)>,
    values: BTreeSet<FileId>,
    pipelines: Vec<Pipeline>,
    duplicates: Vec<(Place, Place)>,
    outside: Vec<Outside>,
    remarks: Vec<Remark>,
}

impl Documents {
    fn read(&mut self, file: FileId, files: &mut Files) -> Result<(), Vec<SyntaxError>> {
        let source = files.get(file);
        if is_toml(source) {
            let configuration = runner::read(file, source.text(), &Templates::default())?;
            if configuration.is_something_else {
                self.remarks.push(neither(file));
            }
            self.configurations.push((file, configuration));
            return Ok(());
        }
        let documents =
            yaml::parse_file(file, source.text()).map_err(|error| vec![error.of(file)])?;
        let duplicates = documents.duplicates.iter();
        self.duplicates.extend(duplicates.map(|twice| {
            let place = |span: &Span| Place::new(file, span.clone());
            (place(&twice.first), place(&twice.second))
        }));
        let embedded = helm::find(file, &documents, files);
        if !embedded.is_empty() {
            self.values.insert(file);
        }
        self.documents.push((file, documents));
        for embedded in embedded {
            let mut configuration = embedded.read(files)?;
            configuration.concurrent = embedded.concurrent.or(configuration.concurrent);
            self.remarks.extend(embedded.remark(&configuration));
            self.configurations.push((embedded.file, configuration));
        }
        Ok(())
    }

    /// The pipelines, each of its files; and what is none.
    fn put_together(&mut self, files: &Files) {
        let read = pipeline::read_all(&self.documents, files);
        self.pipelines = read.pipelines;
        let is_alone = self.configurations.is_empty();
        for file in read.others {
            let documents = self.documents.iter().find(|(other, _)| *other == file);
            let values = documents.and_then(|(_, documents)| helm::values(documents));
            if let Some(values) = values {
                let privileged = values.privileged();
                if is_alone && values.is_without_configuration {
                    let configuration = values.default_configuration();
                    self.configurations.push((file, configuration));
                }
                let is_within = |other: FileId| {
                    let embedding = files.get(other).embedding();
                    other == file || embedding.is_some_and(|embedding| embedding.host == file)
                };
                let within = self.configurations.iter_mut();
                let within = within.filter(|(other, _)| is_within(*other));
                match privileged {
                    Some(place) if values.are_of_an_old_chart() => {
                        within.for_each(|(_, it)| it.make_privileged(&place));
                    }
                    Some(place) => self.outside.push(Outside {
                        place,
                        files: within.map(|(other, _)| *other).collect(),
                    }),
                    None => {}
                }
            } else if !self.values.contains(&file) {
                self.remarks.push(neither(file));
            }
        }
    }

    /// The pipelines' jobs get what all the runners that are judged with them set.
    fn give_the_runners_variables(&mut self) {
        let runners: Vec<_> = self.runners().map(|it| it.variables.all()).collect();
        let names: BTreeSet<&str> = runners.iter().flat_map(BTreeMap::keys).copied().collect();
        let agreed = |name: &str| {
            let value =
                |variables: &BTreeMap<&str, &Variable>| Some(variables.get(name)?.value.clone());
            let mut values = runners.iter().map(value);
            let first = values.next().flatten();
            let is_agreed = values.all(|value| value == first);
            first.filter(|_| is_agreed)
        };
        let variables: RunnerVariables = names
            .into_iter()
            .map(|name| (name.to_owned(), agreed(name)))
            .collect();
        let services = match self.runners().collect::<Vec<_>>().as_slice() {
            [runner] => runner.services.clone(),
            // Which of them runs a job is not known.
            _ => Vec::new(),
        };
        let pipelines = std::mem::take(&mut self.pipelines).into_iter();
        self.pipelines = pipelines
            .map(|pipeline| pipeline.run_with(&variables, &services))
            .collect();
    }

    fn runners(&self) -> impl Iterator<Item = &Runner> {
        let files = self.configurations.iter();
        files.flat_map(|(_, configuration)| &configuration.runners)
    }

    fn jobs<'a>(&'a self, surroundings: &'a Surroundings) -> Vec<OneJob<'a>> {
        let jobs = self.pipelines.iter().flat_map(|pipeline| &pipeline.jobs);
        jobs.map(|job| OneJob::new(job, surroundings)).collect()
    }

    fn misspelt_keys(&self) -> Vec<&MisspeltKey> {
        let configurations = self.configurations.iter();
        configurations.flat_map(|(_, it)| &it.misspelt).collect()
    }

    /// Every runner with services, and the directories of certificates that the jobs have.
    fn runners_in<'a>(
        &'a self,
        files: &'a Files,
        certificate_directories: Option<&'a [PathBuf]>,
    ) -> Vec<OneRunner<'a>> {
        let configurations = self.configurations.iter();
        let runners = configurations.flat_map(|(file, configuration)| {
            let runners = configuration.runners.iter();
            let runners = runners.filter(|runner| runner.executor != Executor::Other);
            runners.map(|runner| (files.get(*file), configuration.concurrent, runner))
        });
        runners
            .map(|(source, concurrent, runner)| {
                OneRunner::new(runner, concurrent, source, certificate_directories)
            })
            .collect()
    }

    /// Where the pipelines' jobs run, if all the runners that are judged with them agree.
    fn surroundings(&self) -> Surroundings {
        let mut executors = self.runners().map(|runner| runner.executor);
        let first = executors.next();
        let agreed = first.filter(|first| executors.all(|executor| executor == *first));
        Surroundings {
            in_kubernetes: match agreed {
                Some(Executor::Kubernetes) => Some(true),
                Some(Executor::Docker) => Some(false),
                Some(Executor::Other) | None => None,
            },
            is_without_docker: self.runners().next().is_some()
                && self.runners().all(Runner::is_without_docker),
            image: {
                let mut images = self.runners().map(|runner| runner.image.as_ref());
                let first = images.next().flatten();
                let is_agreed = images.all(|image| image == first);
                first.filter(|_| is_agreed).cloned()
            },
            has_node_socket: self.runners().any(|runner| runner.node_socket().is_some()),
            has_own_network: self.runners().all(|runner| !runner.has_other_network),
        }
    }
}

/// A file of which nothing is judged.
fn neither(file: FileId) -> Remark {
    Remark {
        message: "this is neither a runner's configuration nor a pipeline: nothing in it is judged"
            .into(),
        place: Place::new(file, 0..0),
        label: String::new(),
    }
}

/// By the first line that says something: a header, even one that is not closed, or a key with `=`,
/// where YAML has a colon; else by the file's name.
fn is_toml(source: &Source) -> bool {
    let text = source.text().trim_start_matches('\u{feff}');
    let mut lines = text.lines().map(str::trim);
    let Some(line) = lines.find(|line| !line.is_empty() && !line.starts_with('#')) else {
        return false;
    };
    let is_key = |key: &str| {
        let key = key.trim();
        let is_allowed = |it: char| it.is_ascii_alphanumeric() || "_-.\"' ".contains(it);
        !key.is_empty() && key.chars().all(is_allowed)
    };
    let header = line.trim_start_matches('[');
    let looks_like_it = match line.starts_with('[') {
        true => is_key(header.split(']').next().unwrap_or(header)),
        false => line.split_once('=').is_some_and(|(key, _)| is_key(key)),
    };
    looks_like_it || source.name().ends_with(".toml")
}

#[cfg(test)]
mod tests;
