//! Published ports, short form and long.

use crate::input::yaml::Node;
use crate::input::yaml::Value;
use crate::model::Port;

/// Reads one element of `ports`.
///
/// # Errors
/// What is wrong with it, in words that follow "`…` is not a port:".
pub(super) fn read(node: &Node) -> Result<Port, String> {
    match &node.value {
        Value::Text(text) => short(text),
        Value::Number(number) => short(number.text()),
        Value::Map(_) => long(node),
        _ => Err(format!("it is {}", node.kind())),
    }
}

/// `[[host:]published:]target[/protocol]`, where a port may be a range and the host an address in brackets.
fn short(text: &str) -> Result<Port, String> {
    let (rest, protocol) = text.rsplit_once('/').unwrap_or((text, "tcp"));
    let (rest, target) = match rest.rsplit_once(':') {
        Some((before, target)) => (Some(before), target),
        None => (None, rest),
    };
    let target = range(target)?;
    let (host, published) = match rest {
        None => (None, None),
        Some(rest) => match rest.rsplit_once(':') {
            Some((host, published)) => (Some(host), Some(published)),
            None if rest.contains('.') && !rest.contains('-') => (Some(rest), None),
            None => (None, Some(rest)),
        },
    };
    let published = match published {
        None | Some("") => None,
        Some(published) => Some(range(published)?),
    };
    if let Some(published) = published
        && target.0 != target.1
        && published.1 - published.0 != target.1 - target.0
    {
        return Err("the ranges have different lengths".to_owned());
    }
    let host = host.map(|host| host.trim_matches(['[', ']'])).filter(|host| !host.is_empty());
    if let Some(host) = host
        && host.parse::<std::net::IpAddr>().is_err()
    {
        return Err(format!("`{host}` is not an IP address"));
    }
    protocol_of(protocol)?;
    Ok(Port { target, published, host: host.map(str::to_owned), protocol: protocol.to_lowercase() })
}

fn long(node: &Node) -> Result<Port, String> {
    let text = |key: &str| node.get(key).and_then(Node::scalar);
    let target = range(&text("target").ok_or("`target` is missing")?)?;
    let published = text("published").filter(|text| !text.is_empty()).map(|text| range(&text)).transpose()?;
    let protocol = text("protocol").unwrap_or_else(|| "tcp".to_owned());
    protocol_of(&protocol)?;
    Ok(Port { target, published, host: text("host_ip"), protocol: protocol.to_lowercase() })
}

fn protocol_of(text: &str) -> Result<(), String> {
    let known = ["tcp", "udp", "sctp"].contains(&text.to_lowercase().as_str());
    if known { Ok(()) } else { Err(format!("`{text}` is not a protocol; expected `tcp`, `udp` or `sctp`")) }
}

fn range(text: &str) -> Result<(u16, u16), String> {
    let port = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let port = text.parse::<u16>().ok().filter(|_| digits);
        port.ok_or_else(|| format!("`{text}` is not a port number from 0 to 65535"))
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (port(first)?, port(last)?);
    if first > last { Err(format!("the range `{text}` runs backwards")) } else { Ok((first, last)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_short_form() {
        for (text, host, published, target, protocol) in [
            ("3000", None, None, (3000, 3000), "tcp"),
            ("3000-3005", None, None, (3000, 3005), "tcp"),
            ("8000:80", None, Some((8000, 8000)), (80, 80), "tcp"),
            ("9090-9091:8080-8081", None, Some((9090, 9091)), (8080, 8081), "tcp"),
            ("8000-9000:80", None, Some((8000, 9000)), (80, 80), "tcp"),
            ("127.0.0.1:8001:8001", Some("127.0.0.1"), Some((8001, 8001)), (8001, 8001), "tcp"),
            ("127.0.0.1::5000", Some("127.0.0.1"), None, (5000, 5000), "tcp"),
            ("[::1]:6000:6000/udp", Some("::1"), Some((6000, 6000)), (6000, 6000), "udp"),
            ("6060:6060/UDP", None, Some((6060, 6060)), (6060, 6060), "udp"),
        ] {
            let wanted = Port { target, published, host: host.map(str::to_owned), protocol: protocol.to_owned() };
            assert_eq!(short(text), Ok(wanted), "{text}");
        }
        for text in ["", ":", "a", "70000:80", "80:", "9-8", "1-3:1-2", "x:1:1", "80/icmp", "-1:80", "1:2:3:4"] {
            assert!(short(text).is_err(), "{text}");
        }
    }
}
