//! A private Redis for one test, to use, empty, freeze, kill and bring back.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use super::server::{Server, free_port};
use super::tap::Tap;
use super::wait::eventually;

const READY: &str = "Ready to accept connections";
const START_LIMIT: Duration = Duration::from_mins(1);
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

pub struct RedisServer {
    server: Server,
    port: u16,
}

/// Three masters with a replica each.
pub struct RedisCluster {
    pub nodes: Vec<RedisServer>,
}

impl RedisCluster {
    pub async fn start() -> Self {
        let mut nodes = Vec::new();
        for _ in 0..6 {
            let bus = free_port().to_string();
            let more =
                ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1", "--cluster-port", &bus];
            nodes.push(RedisServer::with(&more).await);
        }
        let mut create = Command::new("redis-cli");
        create.args(["--cluster-replicas", "1", "--cluster-yes", "--cluster", "create"]);
        create.args(nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)));
        let made = tokio::task::spawn_blocking(move || create.output()).await.expect("no panic");
        let made = made.expect("redis-cli starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
        let cluster = Self { nodes };
        cluster.is_well().await;
        cluster
    }

    /// Until every node knows the whole cluster, and each master has its replica.
    pub async fn is_well(&self) {
        let well = eventually(START_LIMIT, async || {
            for node in &self.nodes {
                let info = node.bulk("CLUSTER INFO").map_err(|error| error.to_string())?;
                let replication = node.bulk("INFO replication").map_err(|error| error.to_string())?;
                let linked = ["connected_slaves:1", "master_link_status:up"];
                if !info.contains("cluster_state:ok") || !linked.iter().any(|word| replication.contains(word))
                {
                    return Err(format!("{info}{replication}"));
                }
            }
            Ok(())
        });
        well.await.unwrap_or_else(|error| panic!("the cluster is not well: {error}"));
    }

    pub fn url(&self) -> String {
        let others: Vec<String> =
            self.nodes[1..].iter().map(|node| format!("node=127.0.0.1:{}", node.port)).collect();
        format!("redis-cluster://127.0.0.1:{}?{}", self.nodes[0].port, others.join("&"))
    }

    pub fn masters(&self) -> Vec<&RedisServer> {
        let is_master = |node: &&RedisServer| {
            node.bulk("INFO replication").is_ok_and(|info| info.contains("role:master"))
        };
        self.nodes.iter().filter(is_master).collect()
    }

    /// How many sessions the masters hold.
    pub fn sessions(&self) -> usize {
        self.masters().iter().map(|node| node.sessions().expect("redis answers")).sum()
    }

    /// The names of the cache's entries.
    pub fn entries(&self) -> Vec<String> {
        self.masters().iter().flat_map(|node| node.entries()).collect()
    }
}

impl RedisServer {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A cluster of one, in which keys of different slots can't be used together.
    pub async fn start_cluster() -> Self {
        let redis = Self::with(&["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"]).await;
        // In two parts, as one line of this protocol has 64 KiB at most; Redis 6.2 knows no ranges.
        for part in [0..8192, 8192..16384] {
            let slots: Vec<String> = part.map(|slot: u16| slot.to_string()).collect();
            let added = redis.command(&format!("CLUSTER ADDSLOTS {}", slots.join(" ")));
            assert_eq!(added.expect("redis answers"), "+OK");
        }
        let ready = async || match redis.bulk("CLUSTER INFO") {
            Ok(info) if info.contains("cluster_state:ok") => Ok(()),
            other => Err(format!("{other:?}")),
        };
        eventually(ANSWER_LIMIT, ready).await.expect("the cluster takes all slots");
        redis
    }

    async fn with(more: &[&str]) -> Self {
        let (server, port) = Server::on_free_port("redis", "KILL", READY, |port| {
            let options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", port];
            ["redis-server"].iter().chain(&options).chain(more).map(ToString::to_string).collect()
        })
        .await;
        Self { server, port }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A way here that the test can cut.
    pub async fn tap(&self) -> Tap {
        Tap::before(&format!("127.0.0.1:{}", self.port)).await
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

    /// Connections stay open and the kernel takes new ones, but no one answers, as behind a cut network.
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
        let stats = self.bulk("INFO commandstats").expect("redis answers");
        let calls = stats.lines().filter_map(|line| {
            let (name, numbers) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name.to_owned(), numbers.split(',').next()?.parse().ok()?))
        });
        // Not what nodes tell each other of their figures, every ten seconds, whatever else happens.
        let figures = ["hset", "hgetall", "expire", "ping"];
        calls
            .filter(|(name, _)| !name.starts_with("config") && name != "info" && !figures.contains(&&**name))
            .collect()
    }

    /// How many sessions it holds.
    pub fn sessions(&self) -> io::Result<usize> {
        Ok(self.copies()?.len())
    }

    /// The names of the sessions' copies: those that no part of coffer has given a prefix.
    pub fn copies(&self) -> io::Result<Vec<String>> {
        let mut keys = self.keys()?;
        keys.retain(|key| key.len() == 22 && !key.contains(':'));
        Ok(keys)
    }

    /// The names of the cache's entries.
    pub fn entries(&self) -> Vec<String> {
        let mut keys = self.keys().expect("redis answers");
        keys.retain(|key| key.starts_with("cf:") && key.contains(":e:") && !key.ends_with(":l"));
        keys
    }

    /// The names of all that it holds.
    pub fn keys(&self) -> io::Result<Vec<String>> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port))?;
        connection.set_read_timeout(Some(ANSWER_LIMIT))?;
        write!(connection, "KEYS *\r\nQUIT\r\n")?;
        let lines = BufReader::new(connection).lines().collect::<io::Result<Vec<_>>>()?;
        Ok(lines.into_iter().filter(|line| !line.starts_with(['*', '$', '+'])).collect())
    }

    /// The text that answers an inline command, such as that of `INFO`.
    pub fn bulk(&self, command: &str) -> io::Result<String> {
        String::from_utf8(self.bytes(command)?).map_err(io::Error::other)
    }

    /// The same, whatever bytes they are.
    pub fn bytes(&self, command: &str) -> io::Result<Vec<u8>> {
        let mut connection = self.send(command)?;
        let mut length = String::new();
        connection.read_line(&mut length)?;
        let length = length.trim_end().trim_start_matches('$').parse().map_err(io::Error::other)?;
        let mut text = vec![0; length];
        connection.read_exact(&mut text)?;
        Ok(text)
    }

    /// The first line of the answer to an inline command, such as `:3` to `DBSIZE`.
    pub fn command(&self, command: &str) -> io::Result<String> {
        let mut line = String::new();
        self.send(command)?.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    fn send(&self, command: &str) -> io::Result<BufReader<TcpStream>> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port))?;
        connection.set_read_timeout(Some(ANSWER_LIMIT))?;
        write!(connection, "{command}\r\n")?;
        Ok(BufReader::new(connection))
    }
}
