//! What an operator has around coffer: PostgreSQL, Redis, a mail server, a certificate, and two nodes behind nginx.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::proxies::{Ports, certificate, nginx_before};
use crate::support::https::Site;
use crate::support::mail::MailServer;
use crate::support::postgres::PostgresServer;
use crate::support::redis::RedisServer;
use crate::support::server::Server;
use crate::support::walk::{Machine, Name};

pub struct World {
    postgres: PostgresServer,
    redis: RedisServer,
    pub mail: MailServer,
    pub folder: TempDir,
    ports: Ports,
}

impl World {
    pub async fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("coffer-world.").tempdir().expect("a folder");
        certificate(folder.path());
        Self {
            postgres: PostgresServer::start().await,
            redis: RedisServer::start().await,
            mail: MailServer::secure("starttls", "IP:127.0.0.1").await,
            folder,
            ports: Ports::free(),
        }
    }

    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub fn site(&self) -> Site {
        Site::secure(self.ports.secure, &self.authority())
    }

    /// What the documents call these servers, with a database of this name.
    fn names(&self, database: &str) -> Vec<Name> {
        let name = |written, here| Name { written, here };
        let postgres = format!("postgres://coffer:password@{}/{database}", self.postgres.address());
        vec![
            name("https://links.example.org", self.site().origin()),
            name("postgres://coffer:password@localhost/coffer", postgres),
            name("redis://localhost:6379", self.redis.url()),
            name("smtp://user:password@mail.example.org:587", self.mail.secure_url("smtp", "p%40ss%20word")),
        ]
    }

    /// A machine on which nothing is installed yet.
    pub fn machine(&self, database: &str) -> Machine {
        let address = self.postgres.address();
        let (host, port) = address.split_once(':').expect("an address");
        let authority = self.authority().display().to_string();
        let variables = [
            ("PGHOST", host.to_owned()),
            ("PGPORT", port.to_owned()),
            ("PGUSER", "postgres".to_owned()),
            ("CURL_CA_BUNDLE", authority),
        ];
        Machine::bare(&self.names(database), &variables)
    }

    /// The settings of the documents, and what only a test needs.
    pub fn configures(&self, machine: &Machine) {
        machine.sets_as(&[
            "install#Settings of the service",
            "install#PostgreSQL",
            "install#Redis",
            "install#Mail",
        ]);
        machine.sets(&machine.own_settings());
        machine.sets(&format!("COFFER_SMTP_CA_FILE={}", self.mail.authority()));
        // Ada works faster than people do.
        machine.sets("COFFER_RATE_LIMIT_SESSION=100000/s");
    }

    /// nginx before these machines.
    pub async fn proxy(&self, nodes: [&Machine; 2]) -> Server {
        let addresses = nodes.map(|node| format!("127.0.0.1:{}", node.port()));
        nginx_before(addresses.each_ref().map(String::as_str), self.folder.path(), self.ports).await
    }
}
