//! What docs/other-ci.md shows: a pod of each definition, in which the first docker command works, and
//! one that lacks its privileges, in which somebody is told so.

use serde_yaml_ng::Value;

use crate::page::Block;
use crate::pods::busybox::IMPORT_BUSYBOX;
use crate::pods::pod::{Plan, Pod};
use crate::pods::suite::Suite;
use crate::pods::transcript::Transcript;
use crate::pods::volume::Volume;
use crate::scenarios::scenarios;

const OTHER_CI: &str = "docs/other-ci.md";

scenarios! {
    a_step_beside_tekton_s_sidecar(OTHER_CI "Tekton" 1);
    a_runner_of_the_actions_runner_controller(OTHER_CI "Actions Runner Controller" 1);
    a_runner_of_gitea(OTHER_CI "Gitea Actions" 1);
    a_runner_of_forgejo(OTHER_CI "Forgejo Actions" 1);
    a_pipeline_of_woodpecker(OTHER_CI "Woodpecker" 1);
    a_workflow_of_woodpecker_on_kubernetes(OTHER_CI "Woodpecker" 2);
    a_pod_of_jenkins(OTHER_CI "Jenkins" 1);
    a_pipeline_of_drone(OTHER_CI "Drone" 1);
}

/// Fails at once where nobody answers.
const FIRST_COMMAND: &str = "docker version --format '{{.Server.Os}}'";

fn a_step_beside_tekton_s_sidecar(run: Block) {
    let task = &parse(&run)["spec"]["taskSpec"];
    let [step, sidecar] = [&task["steps"][0], &task["sidecars"][0]];
    let probe = probe(&sidecar["readinessProbe"]);
    let [step, sidecar] = [step, sidecar].map(Container::of_kubernetes);
    let plan = sidecar.plan(&step);
    let script = step.script(FIRST_COMMAND);
    let pod = plan.clone().start();
    works(pod.job(&script));
    pod.in_service(&probe).expect_success();
    // No step starts before the probe has passed.
    let broken = plan.unprivileged().start();
    passes(&broken, &probe);
    explains(broken.job(&script));
}

fn a_runner_of_the_actions_runner_controller(values: Block) {
    let pod = &parse(&values)["template"]["spec"];
    let [runner, dind] =
        [&pod["containers"][0], &pod["initContainers"][1]].map(Container::of_kubernetes);
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

fn a_runner_of_gitea(deployment: Block) {
    let pod = &parse(&deployment)["spec"]["template"]["spec"];
    let [runner, daemon] = [&pod["containers"][0], &pod["initContainers"][0]];
    let [startup, liveness] = ["startupProbe", "livenessProbe"].map(|name| probe(&daemon[name]));
    let [runner, daemon] = [runner, daemon].map(Container::of_kubernetes);
    let plan = daemon.plan(&runner);
    let pod = plan.clone().start();
    // The runner starts behind the first probe.
    passes(&pod, &startup);
    works(pod.job(&runner.script(FIRST_COMMAND)));
    pod.in_service(&liveness).expect_success();
    ends(&plan.unprivileged().start());
}

fn a_runner_of_forgejo(deployment: Block) {
    let containers = &parse(&deployment)["spec"]["template"]["spec"]["containers"];
    let [runner, daemon] = [&containers[0], &containers[1]];
    let may = &runner["securityContext"];
    assert_eq!(may["runAsUser"], 1000);
    assert_eq!(may["capabilities"]["drop"][0], "ALL");
    let user =
        "setpriv --reuid=1000 --regid=1000 --clear-groups --bounding-set=-all --no-new-privs";
    let [runner, daemon] = [runner, daemon].map(Container::of_kubernetes);
    let plan = daemon.plan(&runner);
    let pod = plan.clone().start();
    works(pod.job(&runner.script(&format!("{user} {FIRST_COMMAND}"))));
    // Its example has jobs call the daemon from within, with the client's certificates mounted.
    let job = "docker run --rm --network=host --volume=/certs/client:/certs/client busybox \
               cat /certs/client/key.pem";
    pod.job(&runner.script(&format!("{IMPORT_BUSYBOX}\n{job}")))
        .expect_success()
        .expect("PRIVATE KEY");
    ends(&plan.unprivileged().start());
}

fn a_pipeline_of_woodpecker(pipeline: Block) {
    let pipeline = parse(&pipeline);
    let [step, service] =
        [&pipeline["steps"][0], &pipeline["services"][0]].map(Container::of_woodpecker);
    works_and_explains(service.plan(&step), &step);
}

fn a_workflow_of_woodpecker_on_kubernetes(workflow: Block) {
    let steps = &parse(&workflow)["steps"];
    assert_eq!(steps[1]["detach"], true);
    let [step, daemon] = [&steps[0], &steps[1]].map(Container::of_woodpecker);
    // What every step of a workflow has.
    let workspace = Volume::disk();
    let plan = daemon.plan(&step).volume(&workspace, "/woodpecker");
    works_and_explains(plan, &step);
}

fn a_pod_of_jenkins(pod: Block) {
    let containers = &parse(&pod)["spec"]["containers"];
    let [client, daemon] = [&containers[0], &containers[1]].map(Container::of_kubernetes);
    let plan = daemon.plan(&client);
    // It takes an agent longer than this to come.
    let script = format!("until [ -S /var/run/docker.sock ]; do sleep 0.1; done; {FIRST_COMMAND}");
    let script = client.script(&script);
    works(plan.clone().start().job(&script));
    explains(plan.unprivileged().start().job(&script));
}

fn a_pipeline_of_drone(pipeline: Block) {
    let pipeline = parse(&pipeline);
    let [step, service] =
        [&pipeline["steps"][0], &pipeline["services"][0]].map(Container::of_drone);
    works_and_explains(service.plan(&step), &step);
}

/// Where daemon and step have a network address each, and the daemon its name.
fn works_and_explains(plan: Plan, step: &Container) {
    let plan = plan.with_docker_executor();
    let script = step.script(FIRST_COMMAND);
    works(plan.clone().start().job(&script));
    explains(plan.unprivileged().start().job(&script));
}

fn works(command: Transcript<'_>) {
    let _ = command.expect_success().expect("linux");
}

fn explains(command: Transcript<'_>) {
    let _ = command.expect_failure().expect("NOT-PRIVILEGED");
}

/// The kubelet would start it again.
fn ends(pod: &Pod) {
    let end = pod.service_end().expect_status(71);
    let _ = end.expect("NOT-PRIVILEGED");
}

/// The command of a probe, for a shell.
fn probe(probe: &Value) -> String {
    let words = probe["exec"]["command"].as_sequence().expect("a command");
    words.iter().map(text).collect::<Vec<_>>().join(" ")
}

/// Asks again and again, as the kubelet does.
fn passes(pod: &Pod, probe: &str) {
    while pod.in_service(probe).status() != Some(0) {
        assert!(!pod.service_has_ended(), "{pod}");
    }
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
        let variables = pairs(container, "env", "name", "value");
        // The kubelet puts values in.
        let expand = |argument: String| {
            variables.iter().fold(argument, |argument, (name, value)| {
                argument.replace(&format!("$({name})"), value)
            })
        };
        let arguments = list(container, "args").map(text);
        Self {
            image: text(&container["image"]),
            arguments: arguments.map(expand).collect(),
            mounts: pairs(container, "volumeMounts", "name", "mountPath"),
            is_privileged: container["securityContext"]["privileged"] == true,
            variables,
        }
    }

    fn of_woodpecker(container: &Value) -> Self {
        let mounts = list(container, "volumes").map(text);
        let mounts = mounts.map(|mount| {
            let (volume, path) = mount.rsplit_once(':').unwrap();
            (volume.to_owned(), path.to_owned())
        });
        Self {
            mounts: mounts.collect(),
            ..Self::of_drone(container)
        }
    }

    fn of_drone(container: &Value) -> Self {
        let variables = container.get("environment").and_then(Value::as_mapping);
        let variables = variables.into_iter().flatten();
        let mounts = list(container, "volumes").filter(|volume| volume.is_mapping());
        Self {
            image: text(&container["image"]),
            arguments: Vec::new(),
            variables: variables
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
            mounts: mounts
                .map(|mount| (text(&mount["name"]), text(&mount["path"])))
                .collect(),
            is_privileged: container.get("privileged") == Some(&Value::Bool(true)),
        }
    }

    /// A pod in which this is the daemon, and `client` what calls it.
    fn plan(&self, client: &Self) -> Plan {
        assert_eq!(self.image, "registry.example.test/my/dind");
        assert!(self.is_privileged && !client.is_privileged);
        // What the daemon alone mounts, a client of these pods sees as well, and looks at in no case.
        for mount in &client.mounts {
            assert!(self.mounts.contains(mount), "not shared: {mount:?}");
        }
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

fn list<'a>(container: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    let list = container.get(name).and_then(Value::as_sequence);
    list.into_iter().flatten()
}

/// Two keys of each entry of a list.
fn pairs(container: &Value, name: &str, key: &str, value: &str) -> Vec<(String, String)> {
    list(container, name)
        .map(|entry| (text(&entry[key]), text(&entry[value])))
        .collect()
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value:?}"))
        .to_owned()
}
