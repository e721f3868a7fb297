//! A private Redis for one test, to use, empty, freeze, kill and bring back.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::server::Server;

const READY: &str = "Ready to accept connections";
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

pub struct RedisServer {
    server: Server,
    port: u16,
}

impl RedisServer {
    pub async fn start() -> Self {
        let (server, port) = Server::on_free_port("redis", "KILL", READY, |port| {
            let options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", port];
            ["redis-server"].iter().chain(&options).map(ToString::to_string).collect()
        })
        .await;
        Self { server, port }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Dead at once, as after a power cut.
    pub fn kill(&self) {
        self.server.end();
    }

    /// Back on the same port, empty.
    pub async fn restart(&self) {
        self.server.end();
        self.server.start(READY).await.unwrap_or_else(|log| panic!("redis doesn't restart: {log}"));
    }

    /// Connections stay open and the kernel takes new ones, but nobody answers, as behind a cut network.
    pub fn freeze(&self) {
        assert!(self.server.send("STOP"), "redis has ended");
    }

    pub fn thaw(&self) {
        assert!(self.server.send("CONT"), "redis has ended");
    }

    pub fn flush(&self) {
        assert_eq!(self.command("FLUSHALL").expect("redis answers"), "+OK");
    }

    /// How many commands it has run since `CONFIG RESETSTAT`, by name.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).expect("redis listens");
        connection.set_read_timeout(Some(ANSWER_LIMIT)).expect("a time limit");
        write!(connection, "INFO commandstats\r\nQUIT\r\n").expect("redis reads");
        let lines = BufReader::new(connection).lines().map_while(Result::ok);
        let calls = lines.filter_map(|line| {
            let (name, numbers) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name.to_owned(), numbers.split(',').next()?.parse().ok()?))
        });
        // Not what nodes tell each other of their figures, every ten seconds, whatever else happens.
        let figures = ["hset", "hgetall", "expire", "ping"];
        calls
            .filter(|(name, _)| !name.starts_with("config") && name != "info" && !figures.contains(&&**name))
            .collect()
    }

    /// How many sessions it holds: theirs are the keys without a family.
    pub fn sessions(&self) -> io::Result<usize> {
        Ok(self.keys()?.iter().filter(|key| !key.contains(':')).count())
    }

    /// The names of the cache's entries.
    pub fn entries(&self) -> Vec<String> {
        let mut keys = self.keys().expect("redis answers");
        keys.retain(|key| key.starts_with("cf:") && key.contains(":e:") && !key.ends_with(":l"));
        keys
    }

    fn keys(&self) -> io::Result<Vec<String>> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port))?;
        connection.set_read_timeout(Some(ANSWER_LIMIT))?;
        write!(connection, "KEYS *\r\nQUIT\r\n")?;
        let lines = BufReader::new(connection).lines().collect::<io::Result<Vec<_>>>()?;
        Ok(lines.into_iter().filter(|line| !line.starts_with(['*', '$', '+'])).collect())
    }

    /// The first line of the answer to an inline command, such as `:3` to `DBSIZE`.
    pub fn command(&self, command: &str) -> io::Result<String> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port))?;
        connection.set_read_timeout(Some(ANSWER_LIMIT))?;
        write!(connection, "{command}\r\n")?;
        let mut line = String::new();
        BufReader::new(connection).read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}
