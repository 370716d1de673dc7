use super::{source::Position, *};
use crate::reasons::Severity;

/// Two runners' worth of values: with the first the administrator meant to have a registry trusted,
/// and the second one is how it has to be.
const VALUES: &str = include_str!("../../tests/lint/override-values.yaml");

fn judge(text: &str) -> (Files, Judgement) {
    let mut files = Files::default();
    files.add(Source::new("override-values.yaml", text));
    let judgement = lint(&mut files);
    (files, judgement)
}

#[test]
fn a_secret_over_the_certificates_is_found_in_the_values_file_itself() {
    let (files, judgement) = judge(VALUES);
    let [problem] = judgement.problems.as_slice() else {
        panic!("{judgement:#?}");
    };
    assert_eq!(problem.finding.reason.id, "CERTS-READONLY");
    assert_eq!(problem.finding.severity, Severity::Fatal);
    let expected = Position {
        line: 16,
        column: 24,
    };
    assert_eq!(files.position(&problem.place), expected);
    let source = files.get(problem.place.file);
    assert_eq!(source.name(), "override-values.yaml");
    assert_eq!(
        &source.text()[problem.place.span.clone()],
        "\"/certs/client\""
    );
    assert!(problem.finding.cause.contains("runner \"build\""));
    // The second runner's volumes are the cure.
    let cured = VALUES.replacen("\"/certs/client\"", "\"/etc/dind/registry-ca\"", 1);
    assert!(judge(&cured).1.problems.is_empty());
}

#[test]
fn files_are_told_by_what_is_in_them() {
    for (text, expected) in [
        ("concurrent = 1\n", true),
        ("# runner\n\n[[runners]]\n", true),
        ("[session_server]\n", true),
        ("\u{feff}\"log_level\" = \"x\"", true),
        ("runners.x = 1", true),
        ("image: docker\n", false),
        ("variables: {A: \"b=c\"}\n", false),
        ("---\n# a=b\nbuild:\n  script: a=b\n", false),
        ("[a, b]\n", false),
        ("[[runners\n  name = \"a\"\n", true),
        ("", false),
    ] {
        let source = Source::new("file", text);
        assert_eq!(is_toml(&source), expected, "{text}");
    }
}

#[test]
fn a_mistake_in_the_toml_is_told_of_the_yaml_file() {
    let (files, judgement) = judge("runners:\n  config: |\n    [[runners]]\n      name = \"a\n");
    let [error] = judgement.errors.as_slice() else {
        panic!("{judgement:#?}");
    };
    assert_eq!(files.position(&error.place).line, 4);
    assert!(error.message.starts_with("this is not TOML"), "{error:?}");
}

#[test]
fn values_lie_below_a_subchart_or_in_a_manifest_too() {
    let toml = "|\n        [[runners]]\n          [runners.kubernetes]\n            privileged = true\n            \
                [[runners.kubernetes.volumes.secret]]\n              name = \"ca\"\n              \
                mount_path = \"/certs/client\"\n";
    for (text, count) in [
        (format!("gitlab-runner:\n  runners:\n    config: {toml}"), 1),
        (
            format!("a:\n  runners:\n    config: {toml}b:\n  runners:\n    config: {toml}"),
            2,
        ),
        (
            format!("a: 1\n---\nkind: ConfigMap\ndata:\n  config.template.toml: {toml}"),
            1,
        ),
        (format!("runners:\n  configuration: {toml}"), 0),
    ] {
        assert_eq!(judge(&text).1.problems.len(), count, "{text}");
    }
}

#[test]
fn keys_of_the_chart_that_are_not_read_are_told() {
    let outside = "runners:\n  privileged: true\n  config: |\n    [[runners]]\n      \
                   [runners.kubernetes]\n        image = \"debian\"\n";
    let (files, judgement) = judge(outside);
    let [problem] = judgement.problems.as_slice() else {
        panic!("{judgement:#?}");
    };
    assert_eq!(problem.finding.reason.id, "NOT-PRIVILEGED");
    assert_eq!(files.position(&problem.place).line, 2);
    let both = outside.replace("image", "privileged = true\n        image");
    assert!(judge(&both).1.problems.is_empty());
}

#[test]
fn an_old_chart_reads_privileged_beside_the_configuration() {
    let values = |image: &str| format!("gitlabUrl: x\n{image}\nrunners:\n  privileged: true\n");
    let job = "build:\n  image: docker:28-cli\n  services: ['docker:28-dind']\n  \
               script: docker info\n  variables: {DOCKER_HOST: 'tcp://docker:2375', DOCKER_TLS_CERTDIR: ''}\n";
    let found = |values: &str| {
        let mut files = Files::default();
        files.add(Source::new("values.yaml", values));
        files.add(Source::new(".gitlab-ci.yml", job));
        let problems = lint(&mut files).problems;
        let found = problems.iter().map(|problem| {
            let place = &files.get(problem.place.file).text()[problem.place.span.clone()];
            (problem.finding.severity, place.to_owned())
        });
        found.collect::<Vec<_>>()
    };
    for image in [
        "image: gitlab/gitlab-runner:alpine-v10.3.0",
        "image: {registry: registry.gitlab.com, tag: alpine-v15.11.0}",
    ] {
        assert_eq!(found(&values(image)), [], "{image}");
    }
    // One mistake, told once.
    let unread = [(Severity::Fatal, "true".to_owned())];
    for image in ["image: {tag: alpine-v16.0.1}", "image: {tag: latest}", ""] {
        assert_eq!(found(&values(image)), unread, "{image}");
    }
}

#[test]
fn a_scanner_s_template_leaves_the_other_jobs_as_they_are() {
    let pipeline = |template: &str, job: &str| {
        format!(
            "include: [{{template: {template}.gitlab-ci.yml}}]\n{job}:\n  image: docker:28-cli\n  \
             services: ['docker:28-dind']\n  variables: {{DOCKER_HOST: 'tcp://docker:2375'}}\n"
        )
    };
    let script = "  script: docker info\n";
    let found = |text: String| {
        let mut files = Files::default();
        files.add(Source::new(".gitlab-ci.yml", text));
        let judgement = lint(&mut files);
        assert_eq!(judgement.remarks.len(), 1, "what is not looked at is said");
        let problems = judgement.problems.iter();
        problems.map(|it| it.finding.reason.id).collect::<Vec<_>>()
    };
    let of_ours = found(pipeline("Security/SAST", "build") + script);
    assert_eq!(of_ours, ["CLIENT-PORT"]);
    // Which may turn TLS off for all.
    assert!(found(pipeline("Auto-DevOps", "build") + script).is_empty());
    // A part of a job that the template has.
    assert!(found(pipeline("Jobs/Code-Quality", "code_quality")).is_empty());
}
