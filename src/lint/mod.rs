//! `dind-init lint`: the mistake is found before the pod exists.
//!
//! Reading (text → documents whose values know their places), judging (documents → [`Problem`]s of
//! the catalogue, pure), speaking ([`output`]) and repairing are apart.
//!
//! [`Problem`]: problem::Problem

mod embedded;
mod helm;
pub mod input;
pub mod output;
pub mod pipeline;
pub mod problem;
pub mod repair;
pub mod runner;
mod secrets;
pub mod source;
pub mod yaml;

use self::{
    problem::{Judgement, SyntaxError},
    runner::configuration::Configuration,
    source::{FileId, Files},
};

/// Judges all files, together. What lies within one of them is added to them.
pub fn lint(files: &mut Files) -> Judgement {
    let mut judgement = Judgement::default();
    let given: Vec<FileId> = files.iter().map(|(file, _)| file).collect();
    let mut configurations = Vec::new();
    for file in given {
        match read(file, files) {
            Ok(documents) => configurations.extend(documents),
            Err(errors) => judgement.errors.extend(errors),
        }
    }
    for (file, configuration) in &configurations {
        judgement.extend(runner::judge(configuration, files.get(*file)));
    }
    embedded::lift(&mut judgement, files);
    judgement.sort();
    judgement
}

/// What a file says: told by what is in it, since its name may be anything.
fn read(file: FileId, files: &mut Files) -> Result<Vec<(FileId, Configuration)>, Vec<SyntaxError>> {
    let text = files.get(file).text();
    if is_toml(text) {
        return Ok(vec![(file, runner::read(file, text)?)]);
    }
    let documents = yaml::parse(text).map_err(|error| vec![error.of(file)])?;
    let mut configurations = Vec::new();
    for embedded in helm::find(file, &documents, files) {
        let mut configuration = embedded.read(files)?;
        configuration.concurrent = embedded.concurrent.or(configuration.concurrent);
        configurations.push((embedded.file, configuration));
    }
    Ok(configurations)
}

/// By the first line that says something: a header, or a key with `=`. YAML has a colon there.
fn is_toml(text: &str) -> bool {
    let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let Some(line) = lines.find(|line| !line.is_empty() && !line.starts_with('#')) else {
        return false;
    };
    let is_key = |key: &str| {
        let key = key.trim();
        let is_allowed = |it: char| it.is_ascii_alphanumeric() || "_-.\"' ".contains(it);
        !key.is_empty() && key.chars().all(is_allowed)
    };
    let header = line.trim_start_matches('[');
    match line.starts_with('[') {
        true => header.split_once(']').is_some_and(|(key, _)| is_key(key)),
        false => line.split_once('=').is_some_and(|(key, _)| is_key(key)),
    }
}

#[cfg(test)]
mod tests;
