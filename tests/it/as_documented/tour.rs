//! An operator's way through the documents: two nodes are installed, used, watched, upgraded and moved.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::time::interval;

use super::world::World;
use crate::support::actor::Actor;
use crate::support::server::Server;
use crate::support::walk::Machine;

const SHORT: &str = "install#A short name for these commands";
const KEY: &str = "var/lib/coffer/secret.key";

pub struct Tour {
    pub world: World,
    pub first: Machine,
    pub second: Machine,
    nginx: Server,
}

impl Tour {
    /// The first node, installed and started, behind nginx.
    pub async fn begins() -> Self {
        let world = World::new().await;
        let (first, second) = (world.machine("coffer"), world.machine("coffer"));
        first.follows(&["install#PostgreSQL", "install#Binary with systemd"]).await;
        world.configures(&first);
        first.follows(&["install#Start", "install#Settings of the service"]).await;
        let nginx = world.proxy([&first, &second]).await;
        Self { world, first, second, nginx }
    }

    pub fn visitor(&self, name: &str) -> Actor {
        Actor::at_site(name, &self.world.site())
    }

    /// The commands of these sections on the first node, with the short name for them.
    pub async fn commands(&self, sections: &[&str]) -> String {
        self.first.follows(&[&[SHORT], sections].concat()).await
    }

    pub async fn has_another_node(&self) {
        self.second.follows(&["install#Binary with systemd"]).await;
        self.world.configures(&self.second);
        self.brings_key();
        self.second.follows(&["install#Add a second node"]).await;
    }

    fn brings_key(&self) {
        fs::copy(self.first.path(KEY), self.second.path("release/secret.key")).expect("the first node's key");
    }

    pub async fn is_well(&self) {
        let said = self.first.follows(&["install#Run commands with the service's settings"]).await;
        assert!(
            !said.contains("FAIL") && said.contains("bob\tmember") && said.contains("carol\tadmin"),
            "{said}"
        );
        let said = self.commands(&["install#Mail", "troubleshooting#Mail waits or does not arrive"]).await;
        assert!(said.contains("accepted the email to you@example.org"), "{said}");
        let letters = self.world.mail.letters();
        let tests = letters.iter().filter(|letter| letter.to == "you@example.org").count();
        assert_eq!(tests, 2, "{letters:#?}");
    }

    pub async fn makes_backups(&self) {
        let sections = ["Make a backup", "Backup of the secret key", "Every night, by cron or a timer"]
            .map(|heading| format!("backup#{heading}"));
        let said = self.first.follows(&sections.each_ref().map(String::as_str)).await;
        assert_eq!(said.matches("The file was verified").count(), 3, "{said}");
    }

    /// The second machine stands for one that is elsewhere.
    pub async fn keeps_the_trail_elsewhere(&self) {
        let said = self
            .commands(&[
                "production#The audit trail kept elsewhere",
                "production#The audit trail as CSV",
                "troubleshooting#The audit trail is broken",
            ])
            .await;
        assert!(said.contains("trail is intact") && said.contains("user.create"), "{said}");
        let exported = fs::read_dir(self.first.path("var/backups/coffer")).expect("backups").flatten();
        let mut exported = exported.map(|file| file.path());
        let exported = exported.find(|path| path.extension().is_some_and(|end| end == "jsonl"));
        let there = self.second.path("release/today.audit.jsonl");
        fs::copy(exported.expect("an exported trail"), there).expect("a copy");
        let said = self.second.follows(&["production#Check an exported trail"]).await;
        assert!(said.contains("trail is intact"), "{said}");
    }

    /// Replaces node after node while Ada saves and reads. How much she saved.
    pub async fn upgrades(&self, ada: &Actor) -> usize {
        let is_done = AtomicBool::new(false);
        let upgrade = async {
            for node in [&self.first, &self.second] {
                let beforehand = "upgrade#See beforehand what an upgrade changes";
                node.follows(&[beforehand, "upgrade#One node", SHORT, "upgrade#Many nodes"]).await;
            }
            is_done.store(true, Ordering::SeqCst);
        };
        let work = async {
            let (mut saved, mut often) = (0, interval(Duration::from_millis(50)));
            while !is_done.load(Ordering::SeqCst) {
                often.tick().await;
                ada.saves(json!({ "title": format!("Entry {saved}") })).await;
                ada.get("/resources").await.ok().text_has(&format!("Entry {saved}"));
                saved += 1;
            }
            saved
        };
        tokio::join!(work, upgrade).0
    }

    pub async fn stops_the_second(&self) {
        self.second.runs("sudo systemctl stop coffer").await;
    }

    /// Both nodes are without a key, and go on with another one; no one is logged out.
    pub async fn loses_its_key(&self, ada: &Actor) {
        fs::remove_file(self.first.path(KEY)).expect("the key was there");
        self.commands(&["troubleshooting#The key is lost"]).await;
        self.brings_key();
        self.second.follows(&["install#Add a second node"]).await;
        ada.learns_token().await;
        ada.saves(json!({ "title": "After the key was lost" })).await;
    }

    /// A fresh installation on another machine takes over, with another key.
    pub async fn moves(&self) -> Machine {
        self.stops_the_second().await;
        self.first.runs("sudo systemctl stop coffer").await;
        self.commands(&["security#Rotate the secret key", "howto#Move to another server"]).await;
        let third = self.world.machine("moved");
        third.runs("sudo -u postgres createdb --owner coffer moved").await;
        third.follows(&["install#Binary with systemd"]).await;
        self.world.configures(&third);
        fs::create_dir(third.path("var/backups/coffer")).expect("a folder");
        let backup = self.first.path("var/backups/coffer/move.backup");
        fs::copy(backup, third.path("var/backups/coffer/with-key.backup")).expect("a copy");
        third.follows(&["backup#Restore on another machine"]).await;
        self.first.follows(&["howto#Delete everything: uninstall"]).await;
        assert!(!self.first.path("var/lib/coffer").exists());
        third
    }

    /// The domain leads to this machine.
    pub async fn leads_to(&mut self, machine: &Machine) {
        self.nginx.end();
        self.nginx = self.world.proxy([machine, machine]).await;
    }
}
