use super::*;
use crate::lint::{lint, yaml};

const VALUES: &str = include_str!("../../../tests/lint/override-values.yaml");

const RUNNER: &str = "[[runners]]\n[runners.kubernetes]\nprivileged = true\n";

fn repaired(name: &str, text: &str) -> (String, Source, Judgement) {
    let mut files = Files::default();
    let file = files.add(Source::new(name, text));
    let judgement = lint(&mut files);
    let repaired = repair(&files, judgement, &[]);
    (
        repaired.diff(file, files.get(file)).unwrap_or_default(),
        repaired.files.get(file).clone(),
        repaired.judgement,
    )
}

/// The tables of the runners in Helm's values.
fn runners(values: &str) -> Vec<toml::Table> {
    let documents = yaml::parse(values).unwrap();
    let config = documents[0].get("runners").unwrap().get("config").unwrap();
    let table: toml::Table = toml::from_str(config.as_str().unwrap()).unwrap();
    let runners = table["runners"].as_array().unwrap().iter();
    runners
        .map(|runner| runner.as_table().unwrap().clone())
        .collect()
}

#[test]
fn the_first_runner_becomes_in_meaning_what_the_second_one_is() {
    let unlike = |values: &str| {
        let runners = runners(values);
        runners[0]["kubernetes"] != runners[1]["kubernetes"]
    };
    assert!(unlike(VALUES));
    let (_, repaired, judgement) = repaired("override-values.yaml", VALUES);
    assert!(!unlike(repaired.text()), "{}", repaired.text());
    assert!(judgement.problems.is_empty(), "{judgement:#?}");
    // And nothing else is touched: not the second runner, and no comment.
    assert_eq!(runners(repaired.text())[1], runners(VALUES)[1]);
    for line in VALUES.lines().filter(|line| line.contains('#')) {
        assert!(repaired.text().contains(line), "{line}");
    }
}

#[test]
fn what_is_changed_is_shown_and_no_secret_with_it() {
    let (diff, _, _) = repaired("override-values.yaml", VALUES);
    let changed: Vec<_> = diff
        .lines()
        .filter(|line| line.starts_with(['+', '-']))
        .collect();
    assert_eq!(
        changed,
        [
            "--- override-values.yaml",
            "+++ override-values.yaml",
            "+        [[runners.kubernetes.volumes.empty_dir]]",
            "+          name = \"docker-certs\"",
            "+          mount_path = \"/certs/client\"",
            "+          medium = \"Memory\"",
            "-          mount_path = \"/certs/client\"",
            "+          mount_path = \"/etc/dind/registry-ca\"",
        ]
    );
    let near_a_token = VALUES.replace("glrt-", "x\"\n      url = \"glrt-").replace(
        "[runners.kubernetes]\n        namespace = \"{{.Release.Namespace}}\"\n        image = \
         \"alpine:3\"\n        privileged = true\n        # Our",
        "[runners.kubernetes]\n        # Our",
    );
    let (diff, _, _) = repaired("x", &near_a_token);
    assert!(diff.contains("url = \"…\""), "{diff}");
    assert!(!diff.contains("mArkEr"), "{diff}");
}

#[test]
fn comments_indentation_and_line_ends_are_kept() {
    let text = "# head\r\n[[runners]]\r\n\t[runners.kubernetes]\r\n\tprivileged = true\r\n\r\n\t# for the registry\r\n\t# \
                (ask Ann)\r\n\t[[runners.kubernetes.volumes.secret]] # why\r\n\t\tname = 'ca'\r\n\
                \t\tmount_path = '/certs/client' # here\r\n";
    let (_, new, judgement) = repaired("config.toml", text);
    assert!(judgement.problems.is_empty(), "{judgement:#?}");
    assert_eq!(
        new.text(),
        "# head\r\n[[runners]]\r\n\t[runners.kubernetes]\r\n\tprivileged = true\r\n\r\n\
         \t[[runners.kubernetes.volumes.empty_dir]]\r\n\t\tname = \"docker-certs\"\r\n\
         \t\tmount_path = \"/certs/client\"\r\n\t\tmedium = \"Memory\"\r\n\r\n\
         \t# for the registry\r\n\t# (ask Ann)\r\n\t[[runners.kubernetes.volumes.secret]] # why\
         \r\n\t\tname = 'ca'\r\n\t\tmount_path = '/etc/dind/registry-ca' # here\r\n"
    );
}

#[test]
fn several_mistakes_of_one_runner_get_one_volume() {
    let file = |name: &str| {
        format!(
            "[[runners.kubernetes.volumes.secret]]\nname = \"{name}\"\nsub_path = \"{name}\"\n\
             mount_path = \"/certs/client/{name}\"\n"
        )
    };
    let text = format!("{RUNNER}{}{}", file("ca.pem"), file("cert.pem"));
    let (_, new, judgement) = repaired("config.toml", &text);
    assert!(judgement.problems.is_empty(), "{judgement:#?}");
    assert_eq!(new.text().matches("empty_dir").count(), 1, "{}", new.text());
    assert!(new.text().contains("\"/etc/dind/registry-ca/cert.pem\""));
}

#[test]
fn what_may_be_meant_stays_as_it_is() {
    let secret = &format!(
        "{RUNNER}[[runners.kubernetes.volumes.secret]]\nname = \"ca\"\n\
         mount_path = \"/certs/client\"\n"
    );
    let (_, new, _) = repaired("config.toml", secret);
    assert_ne!(new.text(), secret.as_str());
    for text in [
        // A client's key: this is no registry's CA.
        format!("{secret}[runners.kubernetes.volumes.secret.items]\nk = \"key.pem\"\n"),
        // What is to move has no place to go.
        format!(
            "{secret}[[runners.kubernetes.volumes.secret]]\nname = \"x\"\n\
             mount_path = \"/etc/dind/registry-ca\"\n"
        ),
        // No header before which another one could stand.
        "[[runners]]\nkubernetes = {privileged = true, volumes = {secret = [{name = \"ca\", mount_path = \
         \"/certs/client\"}]}}\n"
            .to_owned(),
        // Written with escapes in YAML.
        format!("runners:\n  config: {:?}\n", secret),
        secret.replace("secret", "pvc") + "read_only = true\n",
    ] {
        let (_, new, judgement) = repaired("config", &text);
        assert_eq!(new.text(), text);
        assert_eq!(judgement.problems.len(), 1, "{text}\n{judgement:#?}");
        assert!(
            judgement.problems[0].finding.fix.contains("mount"),
            "{text}"
        );
    }
}
