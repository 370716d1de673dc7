//! A schedule makes the newest release's images again when an official image has changed.

use crate::site::Site;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// GitLab's API, as far as it is asked: it writes down each request.
const GITLAB: &str = r#"
import http.server, re, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        fields = re.findall(r'name="(\w+)"\s+(\S+)', body)
        token = self.headers.get("JOB-TOKEN", "")
        print(self.command, self.path, token, *("=".join(field) for field in fields), flush=True)
        self.send_response(201)
        self.end_headers()

    do_POST = do_PUT = answer

    def log_message(self, *_):
        pass

http.server.HTTPServer(("127.0.0.1", 8080), Handler).serve_forever()
"#;

const API: &str = "
    export CI_API_V4_URL=http://127.0.0.1:8080/api/v4 CI_PROJECT_ID=42 CI_JOB_TOKEN=token
    curl --silent --output /dev/null --retry 100 --retry-delay 0 --retry-connrefused \
        http://127.0.0.1:8080/
";

#[test]
fn a_changed_base_starts_the_newest_release_again_and_nothing_else_does() {
    let site = Site::with_tested_candidates();
    site.write("gitlab.py", GITLAB);
    site.run("python3 gitlab.py > requests 2>&1 &")
        .expect_success();
    let rebuild = format!("{API} release/rebuild.sh");

    site.run(&format!("git init --quiet .; {rebuild}"))
        .expect_success()
        .expect("nothing is released yet");
    site.run(&format!(
        "SIGNING=off release/promote.sh {VERSION}
         export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
         cp versions release/docker-versions; git add release; git commit --quiet --message release
         git tag 0.0.1; git tag {VERSION}; git tag 99.0.0-rc.1; git tag v99.0.0
         echo '99.0.0 3.99' >> release/docker-versions"
    ))
    .expect_success();

    site.run(&rebuild)
        .expect_success()
        .expect("29.7.2-dind is still sha256:")
        .expect_not(" was ");
    assert_eq!(site.read("requests"), "");

    site.push_official("28.5.2-dind-rootless", "a mended library");
    site.run(&rebuild)
        .expect_success()
        .expect("28.5.2-dind-rootless was sha256:")
        .expect("29.7.2-dind is still sha256:");
    let asked = format!("POST /api/v4/projects/42/trigger/pipeline  token=token ref={VERSION}\n");
    assert_eq!(site.read("requests"), asked);

    // What cannot be asked is no reason to build.
    site.run(&format!(
        "export BASE_REPOSITORY=127.0.0.1:5000/none; {rebuild}"
    ))
    .expect_failure();
    assert_eq!(site.read("requests"), asked);
}

#[test]
fn files_go_to_the_project_s_package_registry() {
    let site = Site::new();
    site.write("gitlab.py", GITLAB);
    site.run("python3 gitlab.py > requests 2>&1 &")
        .expect_success();
    site.run(&format!(
        "{API} release/upload.sh 1.2.3 release/upload.sh Cargo.toml"
    ))
    .expect_success();
    let packages = "PUT /api/v4/projects/42/packages/generic/dind-init/1.2.3";
    assert_eq!(
        site.read("requests"),
        format!("{packages}/upload.sh token\n{packages}/Cargo.toml token\n")
    );
    site.run(
        "export CI_API_V4_URL=http://127.0.0.1:1 CI_PROJECT_ID=42 CI_JOB_TOKEN=token
              release/upload.sh 1.2.3 Cargo.toml",
    )
    .expect_failure();
}
