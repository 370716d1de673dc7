//! What an explanation gives to paste, pasted: its lines are found as a reader finds them, by the
//! file that is named before them, and put into the pod's own set-up.

use serde_yaml_ng::Value;

use super::Fault;
use crate::pod::Plan;
use crate::suite::Suite;
use crate::volume::Volume;

/// How the fix of a row is tried. Words are the fix's own, which has to print them.
#[derive(Clone, Copy)]
pub enum Cure {
    /// The lines are pasted as they are printed.
    Pasted,
    /// The same, with what the reader alone knows in the place of an example that the words name.
    PastedWith {
        example: &'static str,
        known: &'static str,
    },
    /// The same, after what these words ask for.
    PastedAfter(&'static str, fn(Plan) -> Plan),
    /// There are no lines: what these words ask for is done.
    Done(&'static str, fn(Plan) -> Plan),
    /// The lines are pasted as they are printed, and the fault stays; why.
    InVain(&'static str),
    /// No program can, and there are no lines that one could paste; why.
    OutOfReach(&'static str),
}

pub(super) fn docker_20(fault: &Fault) {
    fault.is_cured_by_its_fix(Suite::Bookworm);
}

pub(super) fn docker_26(fault: &Fault) {
    fault.is_cured_by_its_fix(Suite::Trixie);
}

pub(super) fn docker_28(fault: &Fault) {
    fault.is_cured_by_its_fix(Suite::Sid);
}

/// Lines to paste.
#[derive(Debug, Eq, PartialEq)]
struct Snippet {
    /// "Or …": instead of what is before it.
    is_alternative: bool,
    place: Option<Place>,
    lines: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    Job,
    Service,
    Runner,
    DaemonJson,
}

/// The set-up that does what is told; `None` where there is nothing that a program can do.
#[track_caller]
pub fn cured(plan: Plan, told: &str, id: &str, cure: Cure) -> Option<Plan> {
    let fix = fix(told, id);
    let says = |words: &str| {
        let said: Vec<_> = fix.split_whitespace().collect();
        assert!(said.join(" ").contains(words), "{words:?} in\n{fix}");
    };
    Some(match cure {
        Cure::Pasted | Cure::InVain(_) => paste(plan, &fix),
        Cure::PastedWith { example, known } => {
            assert!(fix.matches(example).count() > 1, "{example} in\n{fix}");
            paste(plan, &fix.replace(example, known))
        }
        Cure::PastedAfter(words, change) => {
            says(words);
            paste(change(plan), &fix)
        }
        Cure::Done(words, change) => {
            says(words);
            assert!(!snippets(&fix).iter().any(|it| it.place.is_some()), "{fix}");
            change(plan)
        }
        Cure::OutOfReach(why) => {
            let snippets = snippets(&fix);
            let lines = alternative_to_paste(&snippets);
            assert!(lines.is_none(), "{why:?}, and a program can paste\n{fix}");
            return None;
        }
    })
}

/// What a job is told to do before its script.
#[track_caller]
pub fn before_script(told: &str, id: &str) -> String {
    let fix = fix(told, id);
    let snippets = snippets(&fix);
    let job = alternative_to_paste(&snippets).unwrap();
    let lines: serde_yaml_ng::Mapping = serde_yaml_ng::from_str(&job[0].lines).unwrap();
    let commands = lines["before_script"].as_sequence().unwrap().iter();
    let commands: Vec<_> = commands.map(|command| command.as_str().unwrap()).collect();
    commands.join("\n")
}

/// The set-up with the first of the alternatives that a program can apply.
#[track_caller]
fn paste(plan: Plan, fix: &str) -> Plan {
    let snippets = snippets(fix);
    let Some(chosen) = alternative_to_paste(&snippets) else {
        panic!("nothing to paste into a file\n{fix}");
    };
    chosen
        .iter()
        .fold(plan, |plan, snippet| match snippet.place.unwrap() {
            Place::Job => into_job(plan, &snippet.lines, Plan::variable),
            Place::Service => into_job(plan, &snippet.lines, Plan::service_variable),
            Place::Runner => into_runner(plan, &snippet.lines),
            Place::DaemonJson => into_daemon_json(plan, &snippet.lines),
        })
}

fn alternative_to_paste(snippets: &[Snippet]) -> Option<Vec<&Snippet>> {
    let mut alternatives: Vec<Vec<&Snippet>> = vec![Vec::new()];
    for snippet in snippets {
        if snippet.is_alternative {
            alternatives.push(Vec::new());
        }
        alternatives.last_mut().unwrap().push(snippet);
    }
    alternatives.into_iter().find(|snippets| {
        !snippets.is_empty() && snippets.iter().all(|snippet| snippet.can_be_pasted())
    })
}

impl Snippet {
    /// What a Secret of the cluster is called is known there alone.
    fn can_be_pasted(&self) -> bool {
        self.place.is_some() && !self.lines.contains("volumes.secret]]")
    }
}

/// The fix as it was printed, less indented.
fn fix(told: &str, id: &str) -> String {
    let begins = format!(" {id}: ");
    let mut lines = told.lines();
    let found = lines.any(|line| line.starts_with("dind-init: ") && line.contains(&begins));
    assert!(found, "{id} is not told\n{told}");
    let mut fix: Vec<&str> = Vec::new();
    for line in lines.take_while(|line| line.starts_with("  ")) {
        match (line.strip_prefix("  Fix: "), fix.is_empty()) {
            (Some(first), _) => fix.push(first),
            (None, false) => fix.push(line.strip_prefix("    ").unwrap_or_default()),
            (None, true) => {}
        }
    }
    fix.join("\n")
}

fn snippets(fix: &str) -> Vec<Snippet> {
    let mut snippets: Vec<Snippet> = Vec::new();
    let mut prose = String::new();
    let mut open = false;
    for line in fix.lines() {
        match line.strip_prefix("    ") {
            Some(code) if open => {
                let lines = &mut snippets.last_mut().unwrap().lines;
                lines.push('\n');
                lines.push_str(code);
            }
            Some(code) => {
                let sentence = prose.rsplit(". ").next().unwrap();
                snippets.push(Snippet {
                    is_alternative: sentence.starts_with("Or ") || sentence.starts_with("Or, "),
                    place: place(sentence),
                    lines: code.to_owned(),
                });
                prose.clear();
                open = true;
            }
            None => {
                if !prose.is_empty() {
                    prose.push(' ');
                }
                prose.push_str(line);
                open = false;
            }
        }
    }
    snippets
}

fn place(sentence: &str) -> Option<Place> {
    let sentence = sentence.to_lowercase();
    [
        ("at the service, in .gitlab-ci.yml:", Place::Service),
        ("in .gitlab-ci.yml:", Place::Job),
        ("in the runner's config.toml:", Place::Runner),
        ("in daemon.json:", Place::DaemonJson),
    ]
    .into_iter()
    .find_map(|(end, place)| sentence.ends_with(end).then_some(place))
}

fn into_job(mut plan: Plan, lines: &str, set: fn(Plan, &str, &str) -> Plan) -> Plan {
    let job: serde_yaml_ng::Mapping = serde_yaml_ng::from_str(lines).unwrap();
    for (key, value) in &job {
        match (key.as_str().unwrap(), value) {
            ("variables", Value::Mapping(variables)) => {
                for (name, value) in variables {
                    plan = set(plan, name.as_str().unwrap(), &expanded(value));
                }
            }
            ("command", Value::Sequence(words)) => {
                let words: Vec<_> = words.iter().map(|word| word.as_str().unwrap()).collect();
                plan = plan.command(&words);
            }
            (other, _) => panic!("no program knows {other}\n{lines}"),
        }
    }
    plan
}

/// As the runner does it for job 7.
fn expanded(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        other => panic!("no variable's value: {other:?}"),
    };
    let text = text.replace("$CI_BUILDS_DIR", "/builds");
    text.replace("$CI_JOB_ID", "7")
}

fn into_runner(mut plan: Plan, lines: &str) -> Plan {
    let file: toml::Table = toml::from_str(lines).unwrap();
    let runner = file["runners"].as_table().unwrap();
    let settings = runner["kubernetes"].as_table().unwrap();
    assert_eq!((file.len(), runner.len()), (1, 1), "{lines}");
    for (key, value) in settings {
        match (key.as_str(), value) {
            ("privileged", toml::Value::Boolean(true)) => plan = plan.privileged(),
            ("volumes", toml::Value::Table(kinds)) => {
                for (kind, volumes) in kinds {
                    let volumes = volumes.as_array().unwrap();
                    plan = volumes
                        .iter()
                        .fold(plan, |plan, it| with_volume(plan, kind, it));
                }
            }
            ("service_container_security_context", toml::Value::Table(context)) => {
                let read_only = context["read_only_root_filesystem"].as_bool();
                assert_eq!((context.len(), read_only), (1, Some(false)), "{lines}");
                plan = plan.without_option("--read-only");
            }
            (other, _) => panic!("no program knows {other}\n{lines}"),
        }
    }
    plan
}

fn with_volume(plan: Plan, kind: &str, volume: &toml::Value) -> Plan {
    let text = |key| volume.get(key).map(|it| it.as_str().unwrap());
    let target = text("mount_path").unwrap();
    match (kind, text("medium"), text("sub_path")) {
        ("empty_dir", Some("Memory"), None) => plan
            .without_volumes_at(target)
            .volume(&Volume::memory(), target),
        ("empty_dir", None, None) => plan
            .without_volumes_at(target)
            .volume(&Volume::disk(), target),
        // The one that is mounted as a whole.
        ("config_map", None, Some(name)) => {
            let directory = target.strip_suffix(&format!("/{name}")).unwrap();
            plan.with_file_alone(directory, name)
        }
        _ => panic!("no volume of Kubernetes: {kind} {volume}"),
    }
}

fn into_daemon_json(plan: Plan, lines: &str) -> Plan {
    let member = format!("{{{lines}}}");
    assert!(member.parse::<serde_json::Value>().is_ok(), "{lines}");
    plan.configuration_replaced(&member)
}

#[test]
fn lines_are_found_with_the_file_that_they_are_for() {
    let told = "\
dind-init: error OTHER: something
  Fix: In .gitlab-ci.yml:
        variables:
          A: b
dind-init: this matters:
dind-init: fatal MINE: it is wrong
  Cause: a path.
    with a second line
  Fix: Take it out. Share it, in the runner's
    config.toml:
        [runners.kubernetes]
          privileged = true
    Or say so, in .gitlab-ci.yml:
        variables:
          B: c
    Or load it, on the node:
        modprobe it
    That is all.
$ docker info";
    let found = snippets(&fix(told, "MINE"));
    let snippet = |is_alternative, place, lines: &str| Snippet {
        is_alternative,
        place,
        lines: lines.to_owned(),
    };
    assert_eq!(
        found,
        [
            snippet(
                false,
                Some(Place::Runner),
                "[runners.kubernetes]\n  privileged = true"
            ),
            snippet(true, Some(Place::Job), "variables:\n  B: c"),
            snippet(true, None, "modprobe it"),
        ]
    );
}

#[test]
#[should_panic(expected = "no program knows volums")]
fn a_key_that_no_runner_knows_is_noticed() {
    let plan = crate::pod::Pod::new(Suite::Trixie);
    into_runner(plan, "[runners.kubernetes]\nvolums = 1");
}

#[test]
#[should_panic(expected = "a program can paste")]
fn a_fix_with_lines_to_paste_is_not_out_of_reach() {
    let told = "dind-init: fatal MINE: it is wrong\n  Fix: In .gitlab-ci.yml:\n        \
                variables:\n          A: b\n";
    let plan = crate::pod::Pod::new(Suite::Trixie);
    cured(plan, told, "MINE", Cure::OutOfReach("nobody knows"));
}
