//! The keys that are known, and the form that their harmless values have.
//!
//! No form has room for what passwords and tokens are made of: letters of both cases, and digits.

use super::tokens::is_token;

/// How a value has to look to be shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    /// Only the key is known.
    Never,
    /// A number, a truth, a short word.
    Word,
    /// An absolute path, with another one and a mode perhaps, or a file's name.
    Path,
    /// What images, services, volumes and jobs are called.
    Name,
    /// URLs and hosts, with commas between them; nobody logs in.
    Addresses,
    /// dockerd's command line.
    Flags,
}

#[rustfmt::skip]
const KEYS: &[(Form, &[&str])] = &[
    (Form::Path, &[
        "mount_path", "sub_path", "host_path", "volumes", "builds_dir", "cache_dir",
        "DOCKER_CERT_PATH", "DOCKER_TLS_CERTDIR", "DIND_REGISTRY_CA_DIR", "CERT_PATH",
        "tls-ca-file", "CI_SERVER_TLS_CA_FILE", "CI_BUILDS_DIR",
    ]),
    (Form::Name, &[
        "name", "image", "alias", "services", "stage", "extends", "allowed_images",
        "allowed_services", "allowed_privileged_services", "namespace", "runtime_class_name",
        "claim_name", "driver", "helper_image", "kind", "apiVersion",
    ]),
    (Form::Word, &[
        "executor", "privileged", "services_privileged", "read_only", "medium", "concurrent",
        "limit", "request_concurrency", "check_interval", "pull_policy", "network_mode",
        "wait_for_services_timeout", "services_limit", "DOCKER_DRIVER", "DOCKER_TLS_VERIFY",
        "DOCKER_TLS", "DOCKER_BUILDKIT", "HEALTHCHECK_TCP_PORT", "DOCKER_IPTABLES_LEGACY",
        "allow_privilege_escalation", "disable_cache", "tls_verify", "size_limit", "when",
        "shm_size", "userns_mode", "services_security_opt", "runtime", "interruptible",
    ]),
    (Form::Addresses, &[
        "DOCKER_HOST", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy",
        "no_proxy", "CI_REGISTRY", "CI_SERVER_HOST", "host",
    ]),
    (Form::Flags, &["command", "DIND_DOCKERD_ARGS"]),
    (Form::Never, &[
        // The runner's.
        "runners", "kubernetes", "docker", "secret", "config_map", "projected", "empty_dir", "pvc",
        "nfs", "csi", "items", "environment", "feature_flags", "pod_spec", "cache", "s3", "gcs",
        "azure", "AccountName", "AccountKey", "ContainerName", "AccessKey", "SecretKey",
        "BucketName", "ServerAddress", "session_server", "custom", "machine", "ssh",
        "service_container_security_context", "build_container_security_context",
        "init_permissions_container_security_context", "pod_security_context", "node_selector",
        "node_tolerations", "affinity", "token", "url", "clone_url", "id", "log_level",
        "tls-cert-file", "tls-key-file", "custom_build_dir", "autoscaler", "pre_build_script",
        "pre_clone_script", "Type", "Path", "Shared", "helper_image_flavor", "hostname", "user",
        "password", "capabilities", "security_opt", "dns", "extra_hosts", "links", "devices",
        "service_account", "pod_labels", "pod_annotations", "image_pull_secrets", "sources",
        // The chart's.
        "config", "runnerToken", "runnerRegistrationToken", "gitlabUrl", "rbac", "serviceAccount",
        "tolerations", "nodeSelector", "replicas", "metadata", "data", "spec", "values",
        "config.toml", "config.template.toml", "gitlab-runner", "secrets", "resources", "envVars",
        // GitLab's.
        "variables", "script", "before_script", "after_script", "default", "include", "local",
        "project", "remote", "template", "component", "inputs", "stages", "workflow", "rules", "if",
        "tags", "needs", "artifacts", "parallel", "matrix", "retry", "inherit", "entrypoint",
        "value", "description", "trigger", "only", "except", "dependencies", "timeout", "coverage",
        "environments", "release", "pages", "reports", "paths", "key", "ref", "file", "expire_in",
        "allow_failure", "id_tokens", "hooks", "<<",
    ]),
];

/// Families of variables, each with the form of its members.
const FAMILIES: [(&str, Form); 7] = [
    ("DIND_REGISTRY_MIRRORS", Form::Addresses),
    ("DIND_INSECURE_REGISTRIES", Form::Addresses),
    ("DIND_", Form::Word),
    ("FF_", Form::Word),
    ("KUBERNETES_", Form::Word),
    ("CI_", Form::Never),
    ("DOCKER_", Form::Never),
];

/// What may be told of a command line: those flags of dockerd that lint speaks of, or that say
/// how the network and the storage are made.
const FLAGS: [&str; 27] = [
    "bip",
    "data-root",
    "debug",
    "default-address-pool",
    "dns",
    "experimental",
    "features",
    "group",
    "host",
    "insecure-registry",
    "ip6tables",
    "iptables",
    "ipv6",
    "live-restore",
    "log-driver",
    "log-level",
    "max-concurrent-downloads",
    "max-concurrent-uploads",
    "mtu",
    "registry-mirror",
    "seccomp-profile",
    "storage-driver",
    "storage-opt",
    "tls",
    "tlsverify",
    "userland-proxy",
    "userns-remap",
];

/// A name with as many slips is still known: it is one that lint may speak of.
const SLIPS: usize = 2;

/// Shorter names are like too many others.
const SHORTEST_WITH_SLIPS: usize = 7;

/// Whether a key, or a part of a header, is shown.
pub fn is_known(key: &str) -> bool {
    if form(key) != Form::Never || is_file_name(key) {
        return true;
    }
    let mut known = KEYS.iter().flat_map(|(_, keys)| *keys);
    family(key).is_some() || known.clone().any(|known| *known == key) || {
        let plain_key = plain(key);
        let length = plain_key.chars().count();
        // By so much in length they differ at least.
        let is_near = |known: &str| {
            let known = plain(known);
            known.chars().count().abs_diff(length) <= SLIPS
                && strsim::osa_distance(&known, &plain_key) <= SLIPS
        };
        key.len() >= SHORTEST_WITH_SLIPS && is_name(key) && known.any(|known| is_near(known))
    }
}

/// Whether the value of a key is shown.
pub fn is_harmless(key: Option<&str>, value: &str) -> bool {
    if value.len() > LONGEST_VALUE || is_token(value) {
        return false;
    }
    let is_block =
        value.starts_with(['|', '>']) && value[1..].bytes().all(|it| b"+-123456789".contains(&it));
    if is_block || value.is_empty() {
        return true;
    }
    let Some(key) = key else { return false };
    match form(key) {
        Form::Never if is_file_name(key) => is_path(value),
        Form::Never => false,
        // A medium that Kubernetes spells so.
        Form::Word => is_word(value) || value == "Memory",
        Form::Path => is_path(value),
        Form::Name => is_made_of(value, "._/:@-"),
        Form::Addresses => value.split(',').all(is_address),
        Form::Flags => value.split(' ').all(is_flag),
    }
}

/// `privileged` of `runners.kubernetes.privileged`.
pub fn last_segment(key: &str) -> &str {
    match is_file_name(key) {
        true => key,
        false => key.rsplit('.').next().unwrap_or(key),
    }
}

const LONGEST_VALUE: usize = 200;
const LONGEST_WORD: usize = 20;

fn form(key: &str) -> Form {
    let listed = KEYS.iter().find(|(_, keys)| keys.contains(&key));
    let listed = listed.map(|(form, _)| *form);
    listed.or_else(|| family(key)).unwrap_or(Form::Never)
}

/// That of the variable's family, if it is of one.
fn family(name: &str) -> Option<Form> {
    let mut families = FAMILIES.iter().filter(|_| is_variable(name));
    let found = families.find(|(prefix, _)| name.starts_with(prefix));
    found.map(|(_, form)| *form)
}

/// In lower case, without what joins words: `mountPath` is `mount_path`.
fn plain(key: &str) -> String {
    let letters = key.chars().filter(|it| !matches!(it, '_' | '-'));
    letters.map(|it| it.to_ascii_lowercase()).collect()
}

fn is_name(key: &str) -> bool {
    key.bytes()
        .all(|it| it.is_ascii_alphabetic() || matches!(it, b'_' | b'-'))
}

fn is_variable(key: &str) -> bool {
    let is_part = |it: u8| it.is_ascii_uppercase() || it.is_ascii_digit() || it == b'_';
    key.len() <= 40 && key.bytes().all(is_part)
}

/// A key of a Secret: `ca.crt`.
fn is_file_name(key: &str) -> bool {
    let endings = ["crt", "pem", "cert", "key"];
    key.rsplit_once('.')
        .is_some_and(|(name, end)| endings.contains(&end) && is_made_of(name, "._-"))
}

fn is_word(value: &str) -> bool {
    value.len() <= LONGEST_WORD && is_made_of(value, ".-")
}

fn is_path(value: &str) -> bool {
    let bare = without_references(value);
    let is_part = |it: char| it.is_ascii_alphanumeric() || "._/:,{}-".contains(it);
    let is_absolute = value.starts_with(['/', '$', '.', '~', '{']);
    is_made_of(value, "._/:,-") || (is_absolute && bare.chars().all(is_part))
}

fn is_address(value: &str) -> bool {
    is_made_of(value.trim(), ".:/[]*-") || is_made_of(value.trim(), "._:/[]-")
}

fn is_flag(word: &str) -> bool {
    let (flag, value) = word.split_once('=').unwrap_or((word, ""));
    match flag.strip_prefix("--") {
        Some(name) => {
            let is_known = FLAGS.contains(&name.trim_start_matches("no-"));
            is_known && (is_word(value) || is_address(value) || is_path(value))
        }
        None if flag == "-H" || flag == "-D" || flag == "dockerd" => value.is_empty(),
        None => word.contains("://") && is_address(word),
    }
}

/// Small letters, digits, some more characters, and references to variables.
fn is_made_of(value: &str, more: &str) -> bool {
    without_references(value)
        .chars()
        .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || more.contains(it))
}

/// Without `$NAME`, `${NAME}` and `$[[ inputs.name ]]`.
fn without_references(value: &str) -> String {
    let mut bare = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('$') {
        bare.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let is_part = |it: char| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_';
        if let Some(input) = rest.strip_prefix("[[ inputs.")
            && let Some((name, after)) = input.split_once(" ]]")
            && is_made_of(name, "_-")
        {
            rest = after;
        } else if let Some(braced) = rest.strip_prefix('{')
            && let Some((name, after)) = braced.split_once('}')
            && name.chars().all(is_part)
        {
            rest = after;
        } else {
            rest = rest.trim_start_matches(is_part);
        }
    }
    bare.push_str(rest);
    bare
}
