//! Which addresses may be reached: public ones, and the private networks that the settings allow.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

use super::request::FetchError;

/// Not globally reachable by IANA's registry of special addresses, and two that clouds use for their metadata.
const REFUSED_V4: [Ipv4Net; 17] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([168, 63, 129, 16], 32),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 31, 196, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
];

/// Everything else in IPv6 is refused.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0], 3);

/// Within [`GLOBAL_V6`]: protocol assignments with Teredo, documentation twice, and 6to4.
const REFUSED_V6: [Ipv6Net; 4] =
    [v6([0x2001, 0, 0], 23), v6([0x2001, 0xdb8, 0], 32), v6([0x2002, 0, 0], 16), v6([0x3fff, 0, 0], 20)];

/// NAT64 (RFC 6052): an IPv4 address stands in the last 32 bits.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0], 96);

const fn v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(start: [u16; 3], prefix: u8) -> Ipv6Net {
    let [a, b, c] = start;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

pub struct Guard {
    allowed: Vec<IpNet>,
}

impl Guard {
    pub fn new(allowed: &[IpNet]) -> Self {
        Self { allowed: allowed.to_vec() }
    }

    /// Checks the scheme, and a host that is an address: the client does not resolve those.
    pub fn check(&self, url: &Url) -> Result<(), FetchError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::Scheme);
        }
        let is_allowed = match url.host() {
            Some(Host::Domain(_)) => true,
            Some(Host::Ipv4(address)) => self.allows(address.into()),
            Some(Host::Ipv6(address)) => self.allows(address.into()),
            None => false,
        };
        if is_allowed { Ok(()) } else { Err(FetchError::Refused) }
    }

    pub fn allows(&self, address: IpAddr) -> bool {
        let address = embedded(address.to_canonical());
        let is_refused = match address {
            IpAddr::V4(v4) => REFUSED_V4.iter().any(|network| network.contains(&v4)),
            IpAddr::V6(v6) => {
                !GLOBAL_V6.contains(&v6) || REFUSED_V6.iter().any(|network| network.contains(&v6))
            }
        };
        !is_refused || self.allowed.iter().any(|network| network.contains(&address))
    }
}

fn embedded(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) if NAT64.contains(&v6) => {
            let [.., a, b, c, d] = v6.octets();
            Ipv4Addr::new(a, b, c, d).into()
        }
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(guard: &Guard, address: &str) -> bool {
        guard.allows(address.parse().expect("an address"))
    }

    #[test]
    fn only_public_addresses_are_reached() {
        let guard = Guard::new(&[]);
        for address in ["1.1.1.1", "93.184.215.14", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1"] {
            assert!(allows(&guard, address), "{address}");
        }
        assert!(allows(&guard, "64:ff9b::1.1.1.1"), "NAT64 of a public address");
        for address in [
            "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
            "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.168.1.1",
            "198.19.0.1", "224.0.0.1", "239.255.255.250", "255.255.255.255", "::", "::1", "::127.0.0.1",
            "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "2002:a00:1::1", "3fff::1",
            "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
        ] {
            assert!(!allows(&guard, address), "{address}");
        }
    }

    #[test]
    fn a_network_of_the_settings_is_reached_and_no_other() {
        let guard = Guard::new(&["192.168.1.0/24".parse().expect("a network")]);
        for address in ["192.168.1.7", "::ffff:192.168.1.7", "64:ff9b::192.168.1.7"] {
            assert!(allows(&guard, address), "{address}");
        }
        for address in ["192.168.2.7", "127.0.0.1"] {
            assert!(!allows(&guard, address), "{address}");
        }
    }

    #[test]
    fn addresses_are_known_however_they_are_written() {
        let guard = Guard::new(&[]);
        let check = |url: &str| guard.check(&Url::parse(url).expect("a URL"));
        for host in ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "127.0.0.1.", "[::1]"] {
            assert_eq!(check(&format!("http://{host}/")), Err(FetchError::Refused), "{host}");
        }
        for url in ["ftp://example.org/", "file:///etc/passwd", "data:text/html,x", "gopher://example.org/"] {
            assert_eq!(check(url), Err(FetchError::Scheme), "{url}");
        }
        assert_eq!(check("https://example.org/"), Ok(()));
    }
}
