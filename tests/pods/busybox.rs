//! An image for the daemon in the service, where there is no registry.

/// Makes the image `busybox` without a registry, from the job image's static busybox.
pub const IMPORT_BUSYBOX: &str = r#"
    mkdir -p /tmp/busybox/bin
    cp "$(command -v busybox)" /tmp/busybox/bin/busybox
    for applet in sh sleep echo cat httpd; do ln -sf busybox /tmp/busybox/bin/$applet; done
    tar -C /tmp/busybox -c . | docker import - busybox >/dev/null
"#;
