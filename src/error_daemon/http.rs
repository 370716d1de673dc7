//! One request in, one error of the Docker API out.

use std::io::{self, ErrorKind};

/// A request's header is no longer than this.
const HEADER_LIMIT: usize = 32 * 1024;

/// The answer to `request`, once its header is complete; `None` until then.
///
/// Every request gets it, whatever its path, method or body: status 503, and `explanation` as the
/// API says errors. The connection ends with it, so the body need not be understood.
pub fn answer(request: &[u8], explanation: &str) -> io::Result<Option<Vec<u8>>> {
    const END: &[u8] = b"\r\n\r\n";
    // The end can only be where the last read was, or just before it.
    let recent = request.len().saturating_sub(4096 + END.len());
    if !request[recent..]
        .windows(END.len())
        .any(|bytes| bytes == END)
    {
        if request.len() > HEADER_LIMIT {
            return Err(ErrorKind::InvalidData.into());
        }
        return Ok(None);
    }
    let body = serde_json::json!({ "message": explanation }).to_string();
    let mut answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    if !request.starts_with(b"HEAD ") {
        answer.push_str(&body);
    }
    Ok(Some(answer.into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(request: &str) -> Option<String> {
        let answer = answer(request.as_bytes(), "it \"stops\"\nnow").unwrap()?;
        Some(String::from_utf8(answer).unwrap())
    }

    #[test]
    fn every_request_gets_the_explanation_as_the_api_says_errors() {
        let response = answered("POST /v1.47/build HTTP/1.1\r\nHost: d\r\n\r\nbody").unwrap();
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
    fn half_a_header_is_waited_for_and_an_endless_one_is_not() {
        assert_eq!(answered("GET /info HTTP/1.1\r\n"), None);
        assert_eq!(answer(&[b'x'; HEADER_LIMIT], "").unwrap(), None);
        assert!(answer(&[b'x'; HEADER_LIMIT + 1], "").is_err());
        // The header's last byte and all that one read brings after it.
        let body = "x".repeat(4096);
        assert!(answered(&format!("GET / HTTP/1.1\r\n\r\n{body}")).is_some());
    }
}
