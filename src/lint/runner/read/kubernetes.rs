//! What `[runners.kubernetes]` says.

use crate::lint::{
    model::runner::{Runner, Volume, VolumeKind},
    runner::{
        keys,
        table::{Reader, Table},
    },
    source::Place,
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

pub fn read(reader: &mut Reader<'_>, section: Table<'_>, text: &str, runner: &mut Runner) {
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
