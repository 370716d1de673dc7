//! What the files say, and what they leave to others.

use super::*;

#[test]
fn what_is_said_elsewhere_is_not_guessed() {
    let wrong = "DOCKER_HOST: 'tcp://docker:2375'";
    for (text, is_found) in [
        (
            format!("variables: {{{wrong}}}\nbuild: {{services: ['docker:dind'], script: x}}"),
            true,
        ),
        (
            format!(
                "variables: {{{wrong}}}\ndefault: {{services: ['docker:dind']}}\nbuild: {{script: x}}"
            ),
            true,
        ),
        (
            format!("variables: {{{wrong}}}\nservices: ['docker:dind']\nbuild: {{script: x}}"),
            true,
        ),
        (
            format!(
                "include: a.yml\nbuild: {{services: ['docker:dind'], script: x, variables: {{{wrong}}}}}"
            ),
            false,
        ),
        (
            format!(
                "build: {{extends: .a, services: ['docker:dind'], script: x, variables: {{{wrong}}}}}"
            ),
            false,
        ),
        (
            format!(".build: {{services: ['docker:dind'], variables: {{{wrong}}}}}"),
            false,
        ),
        (
            format!(
                "variables: {{{wrong}}}\nbuild: {{inherit: {{variables: false}}, services: ['docker:dind'], script: x}}"
            ),
            false,
        ),
        (
            format!(
                "variables: {{{wrong}}}\ndefault: {{services: ['docker:dind']}}\nbuild: {{inherit: {{default: [image]}}, script: x}}"
            ),
            false,
        ),
        (
            format!(
                "build: {{services: ['docker:dind'], script: x, variables: {{{wrong}}}, rules: [{{variables: {{DOCKER_TLS_CERTDIR: ''}}}}]}}"
            ),
            false,
        ),
        (
            format!(
                "build: {{services: ['docker:dind'], script: x, variables: {{{wrong}}}, parallel: {{matrix: [{{DOCKER_HOST: [a, b]}}]}}}}"
            ),
            false,
        ),
        (
            format!("build: {{services: ['postgres:16'], script: x, variables: {{{wrong}}}}}"),
            false,
        ),
        (
            format!(
                "build: {{services: !reference [.a, services], script: x, variables: {{{wrong}}}}}"
            ),
            false,
        ),
    ] {
        let expected: &[&str] = match is_found {
            true => &["CLIENT-PORT: 'tcp://docker:2375'"],
            false => &[],
        };
        assert_found(&text, expected);
    }
    // Both are written in one place, whatever else there is.
    assert_found(
        "include: a.yml\n.build:\n  extends: .a\n  services: ['docker:dind']\n  variables:\n    \
         DOCKER_HOST: tcp://docker:2376\n    DOCKER_TLS_VERIFY: 1\n    DOCKER_TLS_CERTDIR: ''\n",
        &["CLIENT-PORT: tcp://docker:2376", "CLIENT-TLS-VERIFY: 1"],
    );
}

#[test]
fn what_a_workflow_s_rules_set_is_known_where_they_agree() {
    let with = |rules: &str, global: &str| {
        format!(
            "workflow: {{rules: [{rules}]}}\nvariables: {{{global}}}\n{}",
            job("DOCKER_HOST: 'tcp://docker:2375'")
        )
    };
    let plain = "{if: a, variables: {DOCKER_TLS_CERTDIR: ''}}";
    let tls = "{if: b, variables: {DOCKER_TLS_CERTDIR: /certs}}";
    let port = ["CLIENT-PORT: 'tcp://docker:2375'"];
    for (rules, global, expected) in [
        // They win over what is global.
        (plain.to_owned(), "DOCKER_TLS_CERTDIR: /certs", &[][..]),
        (tls.to_owned(), "DOCKER_TLS_CERTDIR: ''", &port),
        // Some pipelines are right.
        (format!("{plain}, {tls}"), "", &[]),
        (format!("{plain}, {{when: always}}"), "", &[]),
        (
            format!("{tls}, {{when: always}}"),
            "DOCKER_TLS_CERTDIR: ''",
            &[],
        ),
        (
            format!("{tls}, {{when: always}}"),
            "DOCKER_TLS_CERTDIR: /certs",
            &port,
        ),
        // And these are none.
        (
            format!("{tls}, {{when: never}}"),
            "DOCKER_TLS_CERTDIR: ''",
            &port,
        ),
    ] {
        assert_found(&with(&rules, global), expected);
    }
    // A job's own win over them.
    let own = with(tls, "").replace("2375'", "2375', DOCKER_TLS_CERTDIR: ''");
    assert_found(&own, &[]);
}

#[test]
fn one_line_that_many_jobs_get_is_told_once() {
    let jobs: String = (0..50)
        .map(|n| format!("job{n}: {{services: ['docker:dind'], script: x}}\n"))
        .collect();
    assert_found(
        &format!("variables:\n  DOCKER_HOST: tcp://docker:2375\n{jobs}"),
        &["CLIENT-PORT: tcp://docker:2375"],
    );
}

#[test]
fn services_for_every_job_are_not_multiplied_without_end() {
    let services = vec!["'docker:dind'"; 1000].join(", ");
    let jobs: String = (0..1000)
        .map(|n| format!("job{n}: {{script: x}}\n"))
        .collect();
    let text = format!("default: {{services: [{services}]}}\n{jobs}");
    let pipeline = Pipeline::read(&yaml::parse(&text).unwrap());
    assert!(pipeline.jobs.len() < 100, "{}", pipeline.jobs.len());
    let [remark] = pipeline.remarks.as_slice() else {
        panic!("{:?}", pipeline.remarks);
    };
    assert_eq!(&text[remark.place.span.clone()], "job50");
}

#[test]
fn what_is_not_followed_is_said_once_for_each_kind() {
    let text = "include: a.yml\na: {extends: .x, script: y}\nb: {extends: .x, script: y}\n\
                c: {services: [!reference [.x, services]], script: [!reference [.x, script]]}\n";
    let pipeline = Pipeline::read(&yaml::parse(text).unwrap());
    let said: Vec<_> = pipeline
        .remarks
        .iter()
        .map(|remark| (&text[remark.place.span.clone()], remark.label.as_str()))
        .collect();
    let expected = [
        ("include", ""),
        ("extends", "and 1 more"),
        ("!reference [.x, services]", ""),
    ];
    assert_eq!(said, expected);
    let plain = "a: {script: x}\n";
    assert!(
        Pipeline::read(&yaml::parse(plain).unwrap())
            .remarks
            .is_empty()
    );
}

#[test]
fn what_the_runner_sets_counts_where_the_job_says_nothing() {
    let text = "build:\n  services: [{name: 'docker:dind', command: ['--mtu=1400']}]\n  script: x\n  \
                variables: {DOCKER_HOST: 'tcp://docker:2375'}\n";
    let with = |variables: &[(&str, Option<&str>)]| {
        let owned =
            |(name, value): &(&str, Option<&str>)| ((*name).to_owned(), value.map(str::to_owned));
        let runner = variables.iter().map(owned).collect();
        let pipeline = Pipeline::read(&yaml::parse(text).unwrap()).run_with(&runner, &[]);
        let problems = judged(&pipeline, &Surroundings::default()).problems;
        let ids = problems.iter().map(|problem| problem.finding.reason.id);
        ids.collect::<Vec<_>>()
    };
    assert_eq!(with(&[]), ["CLIENT-PORT"]);
    assert!(with(&[("DOCKER_TLS_CERTDIR", Some(""))]).is_empty());
    assert!(
        with(&[("DOCKER_TLS_CERTDIR", None)]).is_empty(),
        "runners differ"
    );
    // The job's own wins.
    let other = ("DOCKER_HOST", Some("tcp://docker:2376"));
    assert_eq!(with(&[other]), ["CLIENT-PORT"]);
    let tls = ("DOCKER_TLS_VERIFY", Some("1"));
    assert_eq!(with(&[tls]), ["CLIENT-CERT-PATH", "CLIENT-PORT"]);
    let plain = ("DOCKER_TLS_CERTDIR", Some(""));
    let flag = ("FF_KUBERNETES_HONOR_ENTRYPOINT", Some("true"));
    assert_eq!(with(&[plain, flag]), ["DAEMON-COMMAND-DROPPED"]);
}

#[test]
fn other_yaml_is_no_pipeline() {
    for (text, expected) in [
        ("stages: [build]\n", true),
        ("build: {script: make}\n", true),
        (
            "spec: {inputs: {x: {}}}\n---\nbuild: {script: make}\n",
            true,
        ),
        ("apiVersion: v1\nkind: Pod\nspec: {containers: []}\n", false),
        ("runners: {config: x}\n", false),
        ("- a\n", false),
        ("", false),
    ] {
        assert_eq!(is_pipeline(&yaml::parse(text).unwrap()), expected, "{text}");
    }
}
