//! What docs/other-ci.md shows: a pod of each definition, in which the first docker command works, and
//! one that lacks its privileges, in which somebody is told so.

use serde_yaml_ng::Value;

use crate::page::Block;
use crate::pods::pod::{Plan, Pod};
use crate::pods::suite::Suite;
use crate::pods::transcript::Transcript;
use crate::pods::volume::Volume;
use crate::scenarios::scenarios;

const OTHER_CI: &str = "docs/other-ci.md";

scenarios! {
    a_step_beside_tekton_s_sidecar(OTHER_CI "Tekton" 1);
    a_runner_of_the_actions_runner_controller(OTHER_CI "Actions Runner Controller" 1);
    a_runner_of_gitea_or_forgejo(OTHER_CI "Gitea and Forgejo Actions" 1);
    a_pipeline_of_woodpecker(OTHER_CI "Woodpecker" 1);
    a_pod_of_jenkins(OTHER_CI "Jenkins" 1);
}

/// Fails at once where nobody answers.
const FIRST_COMMAND: &str = "docker version --format '{{.Server.Os}}'";

fn a_step_beside_tekton_s_sidecar(run: Block) {
    let task = &parse(&run)["spec"]["taskSpec"];
    let [step, sidecar] = [&task["steps"][0], &task["sidecars"][0]].map(Container::of_kubernetes);
    let plan = sidecar.plan(&step);
    let script = step.script(FIRST_COMMAND);
    works(plan.clone().start().job(&script));
    explains(plan.unprivileged().start().job(&script));
}

fn a_runner_of_the_actions_runner_controller(values: Block) {
    let containers = &parse(&values)["template"]["spec"]["containers"];
    let [runner, dind] = [&containers[0], &containers[1]].map(Container::of_kubernetes);
    let plan = dind.plan(&runner);
    // As the image's user, who is in the socket's group.
    let user = "setpriv --reuid=1001 --regid=1001 --groups=123";
    let script = runner.script(&format!("{user} {FIRST_COMMAND}"));
    works(plan.clone().start().job(&script));
    // dockerd was to open the socket itself: the answer is there as soon as it is known.
    let broken = plan.unprivileged().start();
    while !broken
        .service_log()
        .contains("docker commands get this answer")
    {
        assert!(!broken.service_has_ended(), "{broken}");
    }
    explains(broken.job(&script));
}

fn a_runner_of_gitea_or_forgejo(deployment: Block) {
    let containers = &parse(&deployment)["spec"]["template"]["spec"]["containers"];
    let [runner, daemon] = [&containers[0], &containers[1]].map(Container::of_kubernetes);
    let plan = daemon.plan(&runner);
    works(plan.clone().start().job(&runner.script(FIRST_COMMAND)));
    // The kubelet would start it again.
    let broken = plan.unprivileged().start();
    let end = broken.service_end().expect_status(71);
    let _ = end.expect("NOT-PRIVILEGED");
}

fn a_pipeline_of_woodpecker(pipeline: Block) {
    let pipeline = parse(&pipeline);
    let [step, service] =
        [&pipeline["steps"][0], &pipeline["services"][0]].map(Container::of_woodpecker);
    // Each has a network address of its own, and the service its name.
    let plan = service.plan(&step).with_docker_executor();
    let script = step.script(FIRST_COMMAND);
    works(plan.clone().start().job(&script));
    explains(plan.unprivileged().start().job(&script));
}

fn a_pod_of_jenkins(pod: Block) {
    let container = Container::of_kubernetes(&parse(&pod)["spec"]["containers"][0]);
    let plan = container.plan(&container);
    // It takes an agent longer than this to come.
    let script = format!("until [ -S /var/run/docker.sock ]; do sleep 0.1; done; {FIRST_COMMAND}");
    works(plan.clone().start().in_service(&script));
    explains(plan.unprivileged().start().in_service(&script));
}

fn works(command: Transcript<'_>) {
    let _ = command.expect_success().expect("linux");
}

fn explains(command: Transcript<'_>) {
    let _ = command.expect_failure().expect("NOT-PRIVILEGED");
}

fn parse(block: &Block) -> Value {
    serde_yaml_ng::from_str(&block.text).unwrap_or_else(|error| panic!("{block:?}: {error}"))
}

/// What a definition says of a container, as far as it matters here.
struct Container {
    image: String,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    /// What is mounted, and where.
    mounts: Vec<(String, String)>,
    is_privileged: bool,
}

impl Container {
    fn of_kubernetes(container: &Value) -> Self {
        let pairs = |list: &str, key: &str, value: &str| -> Vec<(String, String)> {
            let entries = container.get(list).and_then(Value::as_sequence);
            let entries = entries.into_iter().flatten();
            entries
                .map(|entry| (text(&entry[key]), text(&entry[value])))
                .collect()
        };
        let variables = pairs("env", "name", "value");
        let arguments = container.get("args").and_then(Value::as_sequence);
        let arguments = arguments.into_iter().flatten().map(text);
        // The kubelet puts values in.
        let expand = |argument: String| {
            variables.iter().fold(argument, |argument, (name, value)| {
                argument.replace(&format!("$({name})"), value)
            })
        };
        Self {
            image: text(&container["image"]),
            arguments: arguments.map(expand).collect(),
            mounts: pairs("volumeMounts", "name", "mountPath"),
            is_privileged: container["securityContext"]["privileged"] == true,
            variables,
        }
    }

    fn of_woodpecker(container: &Value) -> Self {
        let variables = container["environment"].as_mapping().unwrap().iter();
        let mounts = container["volumes"].as_sequence().unwrap().iter().map(text);
        Self {
            image: text(&container["image"]),
            arguments: Vec::new(),
            variables: variables
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
            mounts: mounts
                .map(|mount| {
                    let (volume, path) = mount.rsplit_once(':').unwrap();
                    (volume.to_owned(), path.to_owned())
                })
                .collect(),
            is_privileged: container.get("privileged") == Some(&Value::Bool(true)),
        }
    }

    /// A pod in which this is the daemon, and `client` what calls it.
    fn plan(&self, client: &Self) -> Plan {
        assert_eq!(self.image, "registry.example.test/my/dind");
        assert!(self.is_privileged);
        assert_eq!(self.mounts, client.mounts, "nothing else is shared");
        let of_gitlab = [
            "DOCKER_HOST",
            "DOCKER_TLS_VERIFY",
            "DOCKER_CERT_PATH",
            "DOCKER_TLS_CERTDIR",
        ];
        let plan = Pod::new(Suite::Trixie);
        let plan = of_gitlab.iter().fold(plan, |plan, name| plan.without(name));
        let words: Vec<_> = self.arguments.iter().map(String::as_str).collect();
        let mut plan = plan.command(&words);
        for (name, value) in &self.variables {
            plan = plan.service_variable(name, value);
        }
        for (_, path) in &self.mounts {
            plan = plan.volume(&Volume::disk(), path);
        }
        plan
    }

    /// A command with this container's variables.
    fn script(&self, command: &str) -> String {
        let exports = self.variables.iter();
        let exports = exports.map(|(name, value)| format!("export {name}='{value}'\n"));
        exports.collect::<String>() + command
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value:?}"))
        .to_owned()
}
