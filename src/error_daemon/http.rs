//! One request in, one error of the Docker API out.

use std::io::{self, Read, Write};

/// A request's header is no longer than this.
const HEADER_LIMIT: usize = 64 * 1024;

/// Of a body, such as a build context, so much is read after the answer.
pub const BODY_LIMIT: u64 = 64 * 1024 * 1024;

/// Reads a request's header and answers it with 503 and `explanation`.
pub fn answer(client: &mut (impl Read + Write), explanation: &str) -> io::Result<()> {
    let header = read_header(client)?;
    let body = serde_json::json!({ "message": explanation }).to_string();
    let mut response = format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    if !header.starts_with(b"HEAD ") {
        response.push_str(&body);
    }
    client.write_all(response.as_bytes())?;
    client.flush()
}

fn read_header(client: &mut impl Read) -> io::Result<Vec<u8>> {
    const END: &[u8] = b"\r\n\r\n";
    let mut header = Vec::new();
    let mut buffer = [0; 4096];
    let mut seen = 0;
    while !header[seen..].windows(END.len()).any(|bytes| bytes == END) {
        // The end may lie across two reads.
        seen = header.len().saturating_sub(END.len() - 1);
        let length = client.read(&mut buffer)?;
        if length == 0 || header.len() > HEADER_LIMIT {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        header.extend_from_slice(&buffer[..length]);
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client that has sent its request and keeps what it is answered.
    struct Client<'a> {
        request: &'a [u8],
        response: Vec<u8>,
    }

    impl Read for Client<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            // Byte by byte: headers come in pieces.
            let length = self.request.len().min(1);
            self.request.read(&mut buffer[..length])
        }
    }

    impl Write for Client<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.response.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn answered(request: &str) -> Option<String> {
        let mut client = Client {
            request: request.as_bytes(),
            response: Vec::new(),
        };
        answer(&mut client, "it \"stops\"\nnow").ok()?;
        Some(String::from_utf8(client.response).unwrap())
    }

    #[test]
    fn every_request_gets_the_explanation_as_the_api_says_errors() {
        let response = answered("POST /v1.47/build HTTP/1.1\r\nHost: d\r\n\r\n").unwrap();
        let (header, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(header.starts_with("HTTP/1.1 503 "), "{header}");
        assert!(
            header.contains("Content-Type: application/json"),
            "{header}"
        );
        assert!(
            header.contains(&format!("Content-Length: {}", body.len())),
            "{header}"
        );
        assert_eq!(body, r#"{"message":"it \"stops\"\nnow"}"#);
    }

    #[test]
    fn a_head_request_gets_no_body() {
        assert!(
            answered("HEAD /_ping HTTP/1.1\r\n\r\n")
                .unwrap()
                .ends_with("\r\n\r\n")
        );
    }

    #[test]
    fn half_a_request_gets_nothing() {
        assert_eq!(answered("GET /info HTTP/1.1\r\n"), None);
        assert_eq!(answered(&"x".repeat(HEADER_LIMIT + 5000)), None);
    }
}
