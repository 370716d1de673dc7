//! From the text of a `config.toml` to what it says.

use toml::de::DeTable;

use super::{
    keys,
    table::{Reader, Table},
};
use crate::lint::{
    helm::Templates,
    model::{
        Service, Variables,
        runner::{Configuration, Executor, Runner, Volume, VolumeKind},
        service::{Command, split_aliases},
    },
    problem::SyntaxError,
    source::{FileId, Located, Place},
};

/// Kubernetes' kinds of volumes, by the tables' names.
const KUBERNETES_VOLUMES: [(&str, VolumeKind); 8] = [
    ("secret", VolumeKind::Secret),
    ("config_map", VolumeKind::ConfigMap),
    ("projected", VolumeKind::Projected),
    ("empty_dir", VolumeKind::EmptyDir),
    ("host_path", VolumeKind::HostPath),
    ("pvc", VolumeKind::Claim),
    ("nfs", VolumeKind::Nfs),
    ("csi", VolumeKind::Csi),
];

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
            Executor::Kubernetes => kubernetes(reader, section, text, &mut runner),
            _ => docker(reader, section, &mut runner),
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

fn kubernetes(reader: &mut Reader<'_>, section: Table<'_>, text: &str, runner: &mut Runner) {
    reader.look_for_slips(section, keys::KUBERNETES);
    let context = reader.table(section, "service_container_security_context", text);
    if let Some(context) = context {
        reader.look_for_slips(context, keys::SECURITY_CONTEXT);
        runner.services_privileged = reader.boolean(context, "privileged");
        let read_only = reader.boolean(context, "read_only_root_filesystem");
        runner.read_only_root = read_only.filter(|it| it.value).map(|it| it.place);
        runner.other_user = other_user(reader, context);
    }
    let says_user = context.is_some_and(|context| context.get("run_as_user").is_some());
    let of_pod = reader.table(section, "pod_security_context", text);
    // What a container says wins.
    if let Some(context) = of_pod.filter(|_| !says_user) {
        runner.other_user = other_user(reader, context);
    }
    runner.has_other_runtime = section.get("runtime_class_name").is_some();
    let pod_spec = reader.tables(section, "pod_spec", text).into_iter().next();
    runner.pod_spec = pod_spec.map(|table| reader.place(table.span()));
    let Some(volumes) = reader.table(section, "volumes", text) else {
        return;
    };
    reader.look_for_slips(volumes, keys::VOLUMES);
    for (key, kind) in KUBERNETES_VOLUMES {
        for table in reader.tables(volumes, key, text) {
            runner
                .volumes
                .extend(kubernetes_volume(reader, table, kind, text));
        }
    }
    // In the order of the file, whatever their kinds.
    runner
        .volumes
        .sort_by_key(|volume| volume.mount_path.place.span.start);
}

/// `run_as_user`, but for root.
fn other_user(reader: &mut Reader<'_>, context: Table<'_>) -> Option<Place> {
    let user = reader.number(context, "run_as_user")?;
    let place = context.get("run_as_user").map(|value| value.span());
    place.filter(|_| user > 0).map(|span| reader.place(span))
}

fn kubernetes_volume(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    kind: VolumeKind,
    text: &str,
) -> Option<Volume> {
    reader.look_for_slips(table, keys::VOLUME);
    let name = reader.string(table, "name").map(|name| name.value);
    let host_path = reader.string(table, "host_path").map(|path| path.value);
    let mount_path = reader.string(table, "mount_path");
    let read_only = reader.boolean(table, "read_only");
    let items = reader.table(table, "items", text).map(|items| {
        let keys = items.keys().map(str::to_owned).collect::<Vec<_>>();
        let paths = keys.into_iter();
        paths
            .filter_map(|key| reader.string(items, &key).map(|path| (key, path)))
            .collect()
    });
    Some(Volume {
        kind,
        // The runner mounts a host path at itself where nothing else is said.
        mount_path: match (mount_path, kind) {
            (None, VolumeKind::HostPath) => reader.string(table, "host_path")?,
            (mount_path, _) => mount_path?,
        },
        name: host_path.or(name).unwrap_or_default(),
        place: reader.place(table.span()),
        has_header: table.has_header,
        sub_path: reader
            .string(table, "sub_path")
            .filter(|path| !path.value.is_empty()),
        read_only: read_only
            .filter(|read_only| read_only.value)
            .map(|read_only| read_only.place),
        items,
    })
}

fn docker(reader: &mut Reader<'_>, section: Table<'_>, runner: &mut Runner) {
    reader.look_for_slips(section, keys::DOCKER);
    runner.services_privileged = reader.boolean(section, "services_privileged");
    runner.has_security_options = section.get("services_security_opt").is_some();
    runner.has_other_network = section.get("network_mode").is_some();
    let runtime = reader.string(section, "runtime");
    runner.has_other_runtime =
        runtime.is_some_and(|runtime| !["", "runc"].contains(&runtime.value.as_str()));
    let allowed = reader.strings(section, "allowed_privileged_services");
    runner.allowed_privileged_services = allowed.map(located_values);
    if let Some(volumes) = reader.strings(section, "volumes") {
        runner.volumes = volumes.value.into_iter().map(docker_volume).collect();
        runner.volume_list = Some(volumes.place);
    }
}

/// `/path`, `/host:/path`, `name:/path`, each with `:mode` or without.
fn docker_volume(entry: Located<String>) -> Volume {
    let text = &entry.value;
    // A colon that is a part of a path is Docker's error, and told apart by the rules.
    let (source, rest) = match text.split_once(':') {
        Some((path, mode)) if path.starts_with('/') && is_mode(mode) => ("", text.as_str()),
        Some((source, rest)) => (source, rest),
        None => ("", text.as_str()),
    };
    let (path, mode) = match rest.rsplit_once(':') {
        Some((path, mode)) if is_mode(mode) => (path, mode),
        _ => (rest, ""),
    };
    let kind = match source {
        "" => VolumeKind::Cache,
        source if source.starts_with(['/', '.', '~']) => VolumeKind::HostPath,
        _ => VolumeKind::Named,
    };
    // Escapes would move it, so the whole entry is shown where there are any.
    let file = entry.place.file;
    let span = &entry.place.span;
    let is_as_written = span.len() == text.len() + 2;
    let place_of = |part: &str| {
        let offset = part.as_ptr() as usize - text.as_ptr() as usize;
        let start = span.start + 1 + offset;
        Place::new(file, start..start + part.len())
    };
    let place = |part: &str| match is_as_written {
        true => place_of(part),
        false => entry.place.clone(),
    };
    Volume {
        kind,
        name: source.to_owned(),
        mount_path: Located {
            value: path.to_owned(),
            place: place(path),
        },
        sub_path: None,
        read_only: mode
            .split(',')
            .any(|mode| mode == "ro")
            .then(|| place(mode)),
        items: None,
        place: entry.place.clone(),
        has_header: false,
    }
}

/// Not the rest of a path, and no port.
fn is_mode(text: &str) -> bool {
    !text.contains(['/', ':']) && !text.bytes().all(|byte| byte.is_ascii_digit())
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
