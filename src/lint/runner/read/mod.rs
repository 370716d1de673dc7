//! From the text of a `config.toml` to what it says.

mod docker;
mod kubernetes;

use toml::de::DeTable;

use super::{
    keys,
    table::{Reader, Table},
};
use crate::lint::{
    helm::Templates,
    model::{
        Service, Variables,
        runner::{Configuration, Executor, Runner},
        service::{Command, split_aliases},
    },
    problem::SyntaxError,
    source::{FileId, Located, Place},
};

/// How many keys, values and tables there may be: a file with a thousand runners has some 30 000.
const MAXIMAL_NODES: usize = 500_000;

/// What `text` says, or each place where it is not what the runner reads.
pub fn read(
    file: FileId,
    text: &str,
    templates: &Templates,
) -> Result<Configuration, Vec<SyntaxError>> {
    let refuse = |message: String, span| {
        vec![SyntaxError {
            message,
            place: Place::new(file, span),
            help: String::new(),
        }]
    };
    // The parser reads on after an error, and takes 200 bytes for each node.
    let is_separator = |byte: &u8| matches!(byte, b'=' | b'.' | b',' | b'[' | b'{');
    let mut separators = text
        .bytes()
        .enumerate()
        .filter(|(_, byte)| is_separator(byte));
    if let Some((at, _)) = separators.nth(MAXIMAL_NODES) {
        let message = format!("there are more than {MAXIMAL_NODES} keys and values here");
        return Err(refuse(message, at..at + 1));
    }
    let document = DeTable::parse(text).map_err(|error| {
        let message = format!("this is not TOML: {}", error.message());
        refuse(message, error.span().unwrap_or(0..0))
    })?;
    let lines = templates.lines.clone();
    let mut reader = Reader {
        file,
        templates,
        errors: Vec::new(),
        misspelt: Vec::new(),
        unknown: lines.map(|span| Place::new(file, span)),
    };
    let root = Table::root(document.get_ref());
    let mut configuration = Configuration {
        is_something_else: is_something_else(root),
        concurrent: reader.number(root, "concurrent"),
        runners: reader
            .tables(root, "runners", text)
            .into_iter()
            .map(|table| runner(&mut reader, table, text))
            .collect(),
        unknown: None,
        misspelt: Vec::new(),
    };
    configuration.unknown = reader.unknown.take();
    configuration.misspelt = std::mem::take(&mut reader.misspelt);
    for runner in &mut configuration.runners {
        runner.is_partly_unknown = configuration.unknown.is_some();
    }
    match reader.errors.is_empty() {
        true => Ok(configuration),
        false => Err(reader.errors),
    }
}

/// Keys of a `config.toml` beside its runners.
const GLOBAL_KEYS: &[&str] = &[
    "check_interval",
    "concurrent",
    "connection_max_age",
    "listen_address",
    "log_format",
    "log_level",
    "sentry_dsn",
    "session_server",
    "shutdown_timeout",
];

fn is_something_else(root: Table<'_>) -> bool {
    let mut keys = root.keys().peekable();
    keys.peek().is_some() && !keys.any(|key| key == "runners" || GLOBAL_KEYS.contains(&key))
}

fn runner(reader: &mut Reader<'_>, table: Table<'_>, text: &str) -> Runner {
    reader.look_for_slips(table, keys::RUNNER);
    let executor = executor(reader, table);
    let section = match executor {
        Executor::Kubernetes => reader.table(table, "kubernetes", text),
        Executor::Docker => reader.table(table, "docker", text),
        Executor::Other => None,
    };
    let mut runner = Runner {
        name: reader.string(table, "name").map(|name| name.value),
        section: section
            .filter(|section| section.has_header)
            .map(|section| reader.place(section.span())),
        limit: reader.number(table, "limit"),
        variables: feature_flags(reader, table, text).over(&environment(reader, table)),
        ..Runner::new(reader.place(table.span()), executor)
    };
    if let Some(section) = section {
        runner.privileged = reader.boolean(section, "privileged");
        runner.image = reader.string(section, "image").map(|image| image.value);
        runner.services = services(reader, section, text, &runner.variables);
        match executor {
            Executor::Kubernetes => kubernetes::read(reader, section, text, &mut runner),
            _ => docker::read(reader, section, &mut runner),
        }
    }
    runner
}

/// The Helm chart's part names none: there it is Kubernetes, as the section says.
fn executor(reader: &mut Reader<'_>, table: Table<'_>) -> Executor {
    match reader.string(table, "executor") {
        Some(executor) => match executor.value.as_str() {
            "kubernetes" => Executor::Kubernetes,
            name if name.starts_with("docker") && name != "docker-ssh" => Executor::Docker,
            _ => Executor::Other,
        },
        None if table.get("kubernetes").is_some() => Executor::Kubernetes,
        None if table.get("docker").is_some() => Executor::Docker,
        None => Executor::Other,
    }
}

fn services(
    reader: &mut Reader<'_>,
    section: Table<'_>,
    text: &str,
    of_runner: &Variables,
) -> Vec<Service> {
    let mut services = Vec::new();
    for table in reader.tables(section, "services", text) {
        reader.look_for_slips(table, keys::SERVICE);
        let command = command(reader, table, "command");
        let Some(image) = reader.string(table, "name") else {
            continue;
        };
        let alias = reader.string(table, "alias");
        let own_variables = environment(reader, table);
        services.push(Service {
            image: image.value,
            place: image.place,
            aliases: alias.map_or_else(Vec::new, |alias| split_aliases(&alias.value)),
            command,
            entrypoint: self::command(reader, table, "entrypoint"),
            is_the_runners: true,
            variables: own_variables.clone().over(of_runner),
            own_variables,
        });
    }
    services
}

fn command(reader: &mut Reader<'_>, table: Table<'_>, key: &str) -> Option<Command> {
    let Located { value, place } = located_values(reader.strings(table, key)?);
    Some(Command {
        words: Some(value),
        place,
    })
}

/// `NAME=value`; the place is that of both.
fn environment(reader: &mut Reader<'_>, table: Table<'_>) -> Variables {
    let entries = reader.strings(table, "environment");
    let entries = entries.map(|entries| entries.value).unwrap_or_default();
    Variables::assigned(entries.into_iter().filter_map(|entry| {
        let (name, value) = entry.value.split_once('=')?;
        let assigned = Located {
            value: value.to_owned(),
            place: entry.place,
        };
        Some((name.to_owned(), assigned))
    }))
}

/// They win over variables of the same names (gitlab-runner `IsFeatureFlagOn`).
fn feature_flags(reader: &mut Reader<'_>, table: Table<'_>, text: &str) -> Variables {
    let Some(flags) = reader.table(table, "feature_flags", text) else {
        return Variables::default();
    };
    let names = flags.keys().map(str::to_owned).collect::<Vec<_>>();
    Variables::assigned(names.into_iter().filter_map(|name| {
        let Located { value, place } = reader.boolean(flags, &name)?;
        let value = value.to_string();
        Some((name, Located { value, place }))
    }))
}

fn located_values(list: Located<Vec<Located<String>>>) -> Located<Vec<String>> {
    Located {
        value: list.value.into_iter().map(|item| item.value).collect(),
        place: list.place,
    }
}
