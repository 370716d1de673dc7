//! Reasons about the data directory and the disk below it, and about volumes as such.

#[cfg(test)]
use super::Sample;
use super::{
    Ignoring, START_ANYWAY, Weight,
    advice::{
        Executor::{Docker, Kubernetes},
        Place::Node,
        job, paste, runner, say,
    },
    snippets::{self, dockerd_flags},
};

catalogue! { Storage:

READONLY = Fatal "STORAGE-READONLY" {
    summary: "Docker's data directory is read-only",
    advice: &[
        runner("Give it a volume that can be written to", snippets::DATA_VOLUME).on(Kubernetes),
        say("Take what `volumes` in the runner's config.toml mounts at {data_root} out: the image's own volume is enough.").on(Docker),
    ],
    in_short: "mount an empty volume at var-lib-docker",
    ignoring: START_ANYWAY,
    patterns: &[
        &["chmod /", ": read-only file system"],
        &["cannot create daemon root", "read-only file system"],
        &["could not create or set daemon root permissions", "read-only file system"],
        &["unable to get the tempdir", "read-only file system"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "chmod /var/lib/docker: read-only file system",
            source: "Docker 26.1.5, run with a read-only tmpfs there",
        },
        Sample {
            text: "Cannot create daemon root: /var/lib/docker/100000.100000: mkdir /var/lib/docker/100000.100000: read-only file system",
            source: "after moby v26.1.5 daemon/daemon_unix.go, with --userns-remap",
        },
        Sample {
            text: "could not create or set daemon root permissions: /var/lib/docker: chown /var/lib/docker: read-only file system",
            source: "after moby docker-v29.7.2 daemon/daemon_unix.go",
        },
        Sample {
            text: "failed to start daemon: Unable to get the TempDir under /var/lib/docker: open /var/lib/docker/tmp: read-only file system",
            source: "after moby docker-v29.7.2 daemon/daemon.go",
        },
    ],
}

FULL = Fatal "STORAGE-FULL" {
    summary: "a disk that Docker writes to is full",
    advice: &[
        job("Ask for the disk space that the job needs", "variables:\n  KUBERNETES_SERVICE_EPHEMERAL_STORAGE_REQUEST: 20Gi").on(Kubernetes),
        say("A volume with a size_limit, or with medium = \"Memory\", may be what is full: see the runner's config.toml.").on(Kubernetes),
        paste("Free the disk", Node, "docker system prune --volumes").on(Docker),
    ],
    in_short: "free the disk of the node or ask for more space",
    retryable: true,
    ignoring: START_ANYWAY,
    patterns: &[&["no space left on device"], &["disk quota exceeded"]],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "failed to open database file /var/lib/docker/buildkit/snapshots.db: write /var/lib/docker/buildkit/snapshots.db: no space left on device",
            source: "Docker 26.1.5, run on a tmpfs of 100 KiB",
        },
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=warning msg=\"failed to load plugin io.containerd.metadata.v1.bolt\" error=\"write /var/lib/docker/containerd/daemon/io.containerd.metadata.v1.bolt/meta.db: no space left on device\"\nfailed to start daemon: failed to dial \"/var/run/docker/containerd/containerd.sock\": unknown service containerd.services.namespaces.v1.Namespaces: not implemented",
            source: "after Docker 20.10.24 on a full disk",
        },
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/images/create returned error: write /var/lib/docker/tmp/GetImageBlob1: disk quota exceeded\"",
            source: "after EDQUOT as Go spells it",
        },
    ],
}

IN_USE = Fatal "STORAGE-IN-USE" {
    summary: "another Docker daemon uses the same data directory",
    advice: &[
        say("Each daemon needs a data directory of its own. Take the shared volume at {data_root} (host_path, pvc or nfs) out of the runner's config.toml."),
        runner("Mount an empty one instead", snippets::DATA_VOLUME).on(Kubernetes),
        say("To share layers between jobs, use a registry mirror or `docker build --cache-from`."),
    ],
    in_short: "do not share var-lib-docker between jobs",
    retryable: true,
    ignoring: START_ANYWAY,
    patterns: &[
        &["waiting for response from boltdb open"],
        &["error while opening volume store metadata database", "timeout"],
        &["boltdb file", "is already open"],
        &["failed to open database", ".db: timeout"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-23T15:34:19.770389538Z\" level=warning msg=\"waiting for response from boltdb open\" plugin=bolt\ntime=\"2026-11-23T15:34:24.534631471Z\" level=info msg=\"stopping healthcheck following graceful shutdown\" module=libcontainerd\nfailed to start containerd: timeout waiting for containerd to start",
            source: "Docker 26.1.5, run beside another one",
        },
        Sample {
            text: "failed to start daemon: error while opening volume store metadata database (/var/lib/docker/volumes/metadata.db): timeout",
            source: "after moby docker-v29.7.2 daemon/volume",
        },
        Sample {
            text: "failed to start daemon: Error initializing network controller: boltdb file \"/var/lib/docker/network/files/local-kv.db\" is already open",
            source: "after moby docker-v29.7.2 daemon/libnetwork",
        },
        Sample {
            text: "failed to start daemon: failed to open database file /var/lib/docker/buildkit/cache.db: timeout",
            source: "after moby builder/builder-next, bbolt's ErrTimeout",
        },
    ],
}

DRIVER_CONFLICT = Fatal "STORAGE-DRIVER-CONFLICT" {
    ignoring: START_ANYWAY,
    summary: "the storage driver cannot be used here",
    advice: &[
        job("Name a driver that works here; this goes before `--storage-driver` and daemon.json", "variables:\n  DOCKER_DRIVER: {driver}"),
        say("Or take the driver out of all three: dockerd finds the right one by itself. A data directory that is kept from an older Docker may be emptied instead."),
    ],
    in_short: "set DOCKER-DRIVER to overlay2",
    patterns: &[
        &["prior storage driver", "failed"],
        &["contains several valid graphdrivers"],
        &["storage-driver has been deprecated and removed"],
        &["driver not supported"],
        &["configured driver", "not available"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "failed to start daemon: error initializing graphdriver: prior storage driver aufs failed: driver not supported",
            source: "after moby docker-v29.7.2 daemon/graphdriver",
        },
        Sample {
            text: "failed to start daemon: error initializing graphdriver: /var/lib/docker contains several valid graphdrivers: overlay2, vfs; cleanup or explicitly choose storage driver (-s <DRIVER>)",
            source: "after moby docker-v29.7.2 daemon/graphdriver",
        },
        Sample {
            text: "failed to start daemon: error initializing graphdriver: [graphdriver] ERROR: the devicemapper storage-driver has been deprecated and removed; visit https://docs.docker.com/go/storage-driver/ for more information: devicemapper",
            source: "Docker 26.1.5, run with --storage-driver devicemapper",
        },
        Sample {
            text: "time=\"2026-11-23T15:35:09.801906372Z\" level=error msg=\"Failed to GetDriver graph\" driver=bogus error=\"graphdriver plugins are only supported with experimental mode\" home-dir=/var/lib/docker\nfailed to start daemon: error initializing graphdriver: driver not supported: bogus",
            source: "Docker 26.1.5, run with --storage-driver bogus",
        },
        Sample {
            text: "failed to start daemon: configured driver \"btrfs\" not available: unavailable",
            source: "after moby docker-v29.7.2 daemon/containerd",
        },
    ],
    weight: Weight::Symptom,
}

MOUNTED_TWICE = Fatal "STORAGE-MOUNTED-TWICE" {
    summary: "two volumes are mounted at one path",
    advice: &[say(
        "Take one of them out of the runner's config.toml, or give it another mount_path.",
    )],
    in_short: "take one of the two volumes out",
    ignoring: Ignoring::Impossible("`dind-init lint` finds it, before there is a service"),
}

/// Not [`ON_OVERLAY`]: the directory may suit.
OVERLAY_FORBIDDEN = Warning "STORAGE-OVERLAY-FORBIDDEN" {
    ignoring: START_ANYWAY,
    summary: "the kernel lets nobody in this container make overlay mounts, so layers are copied \
              whole or containers do not start",
    advice: &[
        runner("Make the service privileged", snippets::PRIVILEGED_POD).on(Kubernetes),
        runner("Make the service privileged", snippets::PRIVILEGED_CONTAINERS).on(Docker),
        job("Without root, or in a user namespace, it takes Linux 5.11 or newer. On an older one, use a driver that does without", dockerd_flags!("--storage-driver=fuse-overlayfs")),
    ],
    in_short: "make the service privileged",
    weight: Weight::Cause,
    patterns: &[
        &["failed to mount overlay: operation not permitted"],
        &["failed to mount ", "fstype: overlay", "err: operation not permitted"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-23T15:32:57.880550476Z\" level=error msg=\"failed to mount overlay: operation not permitted\" storage-driver=overlay2",
            source: "Docker 26.1.5, run without --privileged",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.52/containers/create returned error: failed to mount /tmp/containerd-mount2183219: mount source: \\\"overlay\\\", target: \\\"/tmp/containerd-mount2183219\\\", fstype: overlay, flags: 0, data: \\\"workdir=/home/rootless/1/work\\\", err: operation not permitted\"",
            source: "after moby/moby#53029: Docker 29 without root, Linux before 5.11",
        },
    ],
}

/// Of any volume of the service's.
HUNG = Error "STORAGE-HUNG" {
    summary: "a volume does not answer, and whatever is read or written there waits for it",
    advice: &[
        say("What serves this volume (a file server, or a CSI or FUSE driver) is down, or this node does not reach it: restart it, or repair the way to it."),
        paste("See what the kernel says of an NFS server", Node, "dmesg | grep 'not responding'"),
        say("If it is this node alone, retry the job on another one."),
    ],
    in_short: "repair the volume or retry on another node",
    retryable: true,
    ignoring: Ignoring::Possible(
        "the message no longer goes to the job's log; what waits for the volume waits all the same",
    ),
}

ON_OVERLAY = Warning "STORAGE-ON-OVERLAY" {
    ignoring: START_ANYWAY,
    summary: "Docker's data directory cannot hold overlay mounts, so layers are copied whole or \
              containers do not start",
    advice: &[
        runner("Give the data directory a volume: an overlay on top of the container's own file system works on few nodes", snippets::DATA_VOLUME).on(Kubernetes),
        say("The image's own volume is enough, unless `volumes` in the runner's config.toml mounts something else at {data_root}.").on(Docker),
    ],
    in_short: "mount an empty volume at var-lib-docker",
    weight: Weight::Cause,
    patterns: &[
        &["failed to mount overlay: "],
        &["failed to mount ", "fstype: overlay", "err: "],
        &["error creating overlay mount to ", "invalid argument"],
        &["failed to convert whiteout file", "operation not permitted"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.41/containers/create returned error: error creating overlay mount to /var/lib/docker/overlay2/62b057-init/merged: invalid argument\"",
            source: "moby/moby#35476, #32964, on NFS; Docker 20.10 to 28 have the words",
        },
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=error msg=\"failed to mount overlay: invalid argument\" storage-driver=overlay2",
            source: "Docker 20.10.24, run on an overlay",
        },
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.52/containers/create returned error: failed to mount /tmp/containerd-mount2183219: mount source: \\\"overlay\\\", target: \\\"/tmp/containerd-mount2183219\\\", fstype: overlay, flags: 0, data: \\\"workdir=/var/lib/docker/containerd/daemon/io.containerd.snapshotter.v1.overlayfs/snapshots/1/work\\\", err: invalid argument\"",
            source: "after Docker 29, moby#53029",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.52/images/create returned error: failed to extract layer (application/vnd.oci.image.layer.v1.tar+gzip sha256:1) to overlayfs as \\\"extract-1\\\": failed to convert whiteout file \\\"etc/alternatives/.wh.pager.1.gz\\\": operation not permitted\"",
            source: "after devcontainers/features#1658",
        },
    ],
}

UNSUITABLE_FS = Error "STORAGE-UNSUITABLE-FS" {
    ignoring: START_ANYWAY,
    summary: "the file system of Docker's data directory does not suit any fast storage driver",
    advice: &[
        say("Put the data directory on ext4, or on xfs with ftype=1: not on NFS, CIFS or FUSE."),
        runner("On Kubernetes an empty volume is on the node's disk", snippets::DATA_VOLUME).on(Kubernetes),
        say("Take what `volumes` in the runner's config.toml mounts at {data_root} out: the image's own volume is on the node's disk.").on(Docker),
    ],
    in_short: "put var-lib-docker on ext4 or xfs",
    weight: Weight::Cause,
    patterns: &[
        &["filesystem is formatted without d_type support"],
        &["failed to register layer: lsetxattr ", "operation not supported"],
        &["failed to register layer: symlink ", "operation not supported"],
        &["no supported storage driver found"],
        &["snapshotter selection failed, no drivers available"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "failed to start daemon: error initializing graphdriver: overlay2: the backing xfs filesystem is formatted without d_type support, which leads to incorrect behavior. Reformat the filesystem with ftype=1 to enable d_type support. Backing filesystems without d_type support are not supported.",
            source: "after moby docker-v29.7.2 daemon/graphdriver/overlayutils",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Not continuing with pull after error: failed to register layer: lsetxattr security.capability /usr/libexec/gst-ptp-helper: operation not supported\"",
            source: "Stirling-Tools/Stirling-PDF#849, on NFS",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Not continuing with pull after error: failed to register layer: symlink ../1c28/diff /docker/fuse-overlayfs/l/H5MC: operation not supported\"",
            source: "Stirling-Tools/Stirling-PDF#849, on CIFS",
        },
        Sample {
            text: "failed to start daemon: error initializing graphdriver: no supported storage driver found",
            source: "after moby docker-v29.7.2 daemon/graphdriver",
        },
        Sample {
            text: "failed to start daemon: snapshotter selection failed, no drivers available: unavailable",
            source: "after moby docker-v29.7.2 daemon/containerd",
        },
    ],
}

/// dockerd writes what belongs together one after the other.
DAMAGED = Error "STORAGE-DAMAGED" {
    summary: "parts of what Docker keeps in its data directory are missing, as after a daemon that \
              was killed while it wrote",
    advice: &[
        say("Empty the volume at {data_root}: the images that it holds are pulled and built again."),
        runner("Or give each job an empty one", snippets::DATA_VOLUME).on(Kubernetes),
    ],
    patterns: &[
        &["returned error", "error creating overlay mount to ", "no such file or directory"],
        &["returned error", "readlink ", "/overlay2/l", "no such file or directory"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/containers/create returned error: error creating overlay mount to /var/lib/docker/overlay2/c022-init/merged: no such file or directory\"",
            source: "docker/for-linux#791; Docker 20.10 to 28 have the words",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for GET /v1.45/images/1/json returned error: readlink /var/lib/docker/overlay2/l/4GWADAHD5OC5SYHTIOEPIBN64E: no such file or directory\"",
            source: "docker/for-linux#791",
        },
    ],
}

SLOW_DRIVER = Warning "STORAGE-SLOW-DRIVER" {
    summary: "Docker copies every layer whole, which is slow and fills the disk",
    advice: &[
        runner("Give the data directory a volume on which overlay mounts work", snippets::DATA_VOLUME).on(Kubernetes),
        say("Take `--storage-driver vfs` and DOCKER_DRIVER: vfs out of .gitlab-ci.yml."),
    ],
    patterns: &[
        &["docker daemon ", "storage-driver=vfs"],
        &["docker daemon ", "storage-driver=native"],
        &["docker daemon ", "graphdriver(s)=vfs"],
        &["docker daemon ", "graphdriver=vfs"],
        &["preferred snapshotter not available in containerd"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-23T15:33:31.607281917Z\" level=info msg=\"Docker daemon\" commit=411e817 containerd-snapshotter=false storage-driver=vfs version=26.1.5+dfsg1",
            source: "Docker 26.1.5, run with --storage-driver vfs",
        },
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=info msg=\"Docker daemon\" commit=f52814d containerd-snapshotter=true storage-driver=native version=29.0.0",
            source: "after moby docker-v29.7.2 daemon/command, on an overlay",
        },
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=warning msg=\"Preferred snapshotter not available in containerd\" message=\"overlayfs is not supported: invalid argument\"",
            source: "after moby docker-v29.7.2 daemon/daemon.go, on an overlay",
        },
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=info msg=\"Docker daemon\" commit=5d6db84 graphdriver(s)=vfs version=20.10.24+dfsg1",
            source: "after Docker 20.10.24 on an overlay",
        },
        Sample {
            text: "time=\"2024-01-23T10:00:00.000000000Z\" level=info msg=\"Docker daemon\" commit=659604f graphdriver=vfs version=24.0.2",
            source: "after moby v24.0.2 cmd/dockerd",
        },
    ],
}
}
