//! What is known of where jobs run.

/// As far as all the runners that are judged with the jobs agree.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Job and services share a network, and no image's entrypoint sets a job's variables.
    pub in_kubernetes: Option<bool>,
    /// The node's Docker is in the place of the job's own socket.
    pub has_node_socket: bool,
    /// A job has no other network than the one that the runner makes for it.
    pub has_own_network: bool,
    /// No runner brings a Docker daemon of any kind, and all that they say is known.
    pub is_without_docker: bool,
    /// What jobs run in that name no image.
    pub image: Option<String>,
}
