//! Python's TLS, as strict as Python ≥ 3.13 is by itself, with what was issued.

use std::process::{Command, Output};

use crate::{corporate_pki::Pki, scene::Scene};

/// A handshake in memory, both sides verifying strictly.
const HANDSHAKE: &str = r#"
import ssl, sys
d = sys.argv[1]
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain(d + "/server/cert.pem", d + "/server/key.pem")
server.load_verify_locations(d + "/server/ca.pem")
server.verify_mode = ssl.CERT_REQUIRED
client = ssl.create_default_context(cafile=d + "/client/ca.pem")
client.load_cert_chain(d + "/client/cert.pem", d + "/client/key.pem")
for context in (server, client):
    context.verify_flags |= ssl.VERIFY_X509_STRICT
up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
ends = [server.wrap_bio(up, down, server_side=True),
        client.wrap_bio(down, up, server_hostname="docker")]
done = [False, False]
for _ in range(20):
    for i in (1, 0):
        try:
            ends[i].do_handshake()
            done[i] = True
        except ssl.SSLWantReadError:
            pass
# With TLS 1.3 the server judges the client's certificate after the client is done.
assert all(done), done
print(ends[0].getpeercert()["subject"], ends[1].version())
"#;

/// `None` where the machine has no Python.
fn handshake(scene: &Scene) -> Option<Output> {
    Command::new("python3")
        .args(["-c", HANDSHAKE])
        .arg(&scene.settings.directory)
        .output()
        .ok()
}

#[test]
fn python_accepts_strictly_what_was_issued() {
    for key in [
        dind_init::testing::settings::ClientKey::Rsa2048,
        dind_init::testing::settings::ClientKey::EcdsaP256,
    ] {
        let mut scene = Scene::new();
        scene.settings.client_key = key;
        let scene = scene.started();
        if let Some(output) = handshake(&scene) {
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(
                text.contains("dind-init client"),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
}

#[test]
fn python_refuses_a_set_without_key_identifiers_so_the_check_is_strict() {
    let scene = Scene::new();
    let pki = Pki::new();
    let plain =
        |usage: &str| format!("subjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n{usage}");
    pki.lay(
        &scene,
        "server",
        pki.issue(
            "/CN=s",
            &plain("subjectAltName=DNS:docker\nextendedKeyUsage=serverAuth"),
        ),
    );
    pki.lay(
        &scene,
        "client",
        pki.issue("/CN=c", &plain("extendedKeyUsage=clientAuth")),
    );
    if let Some(output) = handshake(&scene) {
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(text.contains("Key Identifier"), "{text}");
    }
}
