//! Other first commands than `docker info`, on one fault.

use super::*;

const FLAG: Fault = Fault {
    pod: |pod| with_certs(pod).command(&["--mtuu=1400"]),
    id: "DAEMON-FLAG",
    fact: "unknown flag: --mtuu",
    // Some clients print JSON, with its quotes escaped.
    fix: "--mtu=1400",
    ..Fault::USUAL
};

fault!(
    docker_build,
    [docker_20, docker_26],
    explained,
    Fault {
        job: "mkdir /tmp/context; echo FROM scratch > /tmp/context/Dockerfile
            head -c 20M /dev/urandom > /tmp/context/large
            DOCKER_BUILDKIT=0 docker build /tmp/context",
        ..FLAG
    }
);

fault!(
    docker_buildx_build,
    [docker_28],
    explained,
    Fault {
        job: "mkdir /tmp/context; echo FROM scratch > /tmp/context/Dockerfile
            docker buildx build /tmp/context",
        ..FLAG
    }
);

fault!(
    docker_compose_up,
    [docker_28],
    explained,
    Fault {
        job: "printf 'services:\\n  one:\\n    image: busybox\\n' > /tmp/compose.yaml
            docker compose --file /tmp/compose.yaml up",
        ..FLAG
    }
);

fault!(
    docker_run,
    [docker_20, docker_26, docker_28],
    explained,
    Fault {
        job: "docker run --rm busybox true",
        ..FLAG
    }
);

fault!(
    docker_login,
    [docker_20, docker_26, docker_28],
    explained,
    Fault {
        job: "echo secret | docker login --username ci --password-stdin registry.example.com",
        ..FLAG
    }
);

fault!(
    python,
    [docker_20],
    explained,
    Fault {
        job: "python3 -c 'import docker; print(docker.from_env().version())'",
        ..FLAG
    }
);

fault!(
    curl,
    [docker_26],
    explained,
    Fault {
        job: "curl --silent --show-error --fail-with-body --cacert /certs/client/ca.pem \\
            --cert /certs/client/cert.pem --key /certs/client/key.pem https://docker:2376/version",
        ..FLAG
    }
);
