//! Hashes that fit their passwords, and a queue that admits each caller once.

use std::time::Duration;

use super::*;

fn passwords() -> Passwords {
    Passwords::new(19_456, 2, "links.example.org").unwrap()
}

#[tokio::test]
async fn a_password_fits_its_own_hash_only() {
    let passwords = passwords();
    let hash = passwords.hash("correct horse battery", [7; 16]).await.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(passwords.verify("correct horse battery", Some(hash.clone())).await.unwrap());
    assert!(!passwords.verify("Correct horse battery", Some(hash.clone())).await.unwrap());
    assert!(!passwords.verify(&"x".repeat(1 << 20), Some(hash)).await.unwrap());
    assert!(!passwords.verify("correct horse battery", None).await.unwrap());
    assert!(!passwords.verify("", None).await.unwrap());
}

#[tokio::test]
async fn the_same_letters_from_another_keyboard_fit() {
    let passwords = passwords();
    let hash = passwords.hash("cre\u{0300}me bru\u{0302}le\u{0301}e", [7; 16]).await.unwrap();
    assert!(passwords.verify("cr\u{00e8}me br\u{00fb}l\u{00e9}e", Some(hash)).await.unwrap());
}

/// The reference implementation's own test vectors, of its command-line tool.
#[tokio::test]
async fn hashes_of_the_reference_implementation_fit() {
    let passwords = passwords();
    for known in [
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ] {
        assert!(passwords.verify("password", Some(known.to_owned())).await.unwrap(), "{known}");
        assert!(!passwords.verify("Password", Some(known.to_owned())).await.unwrap(), "{known}");
    }
}

#[tokio::test]
async fn what_is_no_hash_fits_nothing() {
    let passwords = passwords();
    let cut = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ";
    let unknown = "$argon2id$v=99$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    for hash in ["", "password", cut, unknown, "$2b$12$KIXQ4x0p0Wk1u6QzZ8zZ6u"] {
        assert!(!passwords.verify("password", Some(hash.to_owned())).await.unwrap(), "{hash:?}");
    }
}

#[tokio::test]
async fn a_hash_of_other_parameters_still_fits_and_is_outdated() {
    let (old, new) = (passwords(), Passwords::new(32_768, 3, "").unwrap());
    let hash = old.hash("correct horse battery", [7; 16]).await.unwrap();
    assert!(new.verify("correct horse battery", Some(hash.clone())).await.unwrap());
    assert!(new.is_outdated(&hash) && !old.is_outdated(&hash));
}

#[tokio::test]
async fn whoever_goes_away_leaves_the_queue() {
    let passwords = Arc::new(passwords());
    let all = u32::try_from(passwords.cores.available_permits()).unwrap();
    let busy = passwords.cores.clone().acquire_many_owned(all).await.unwrap();
    for _ in 0..2 * QUEUE {
        let gone =
            tokio::time::timeout(Duration::ZERO, passwords.verify("correct horse battery", None)).await;
        assert!(gone.is_err(), "waits for a core");
    }
    let waiting: Vec<_> = (0..QUEUE).map(|_| Turn::take(&passwords.waiting).ok().unwrap()).collect();
    assert!(matches!(passwords.verify("correct horse battery", None).await, Err(Error::Busy)));
    drop((waiting, busy));
    assert!(!passwords.verify("correct horse battery", None).await.unwrap());
}

#[tokio::test]
async fn memory_is_kept_for_the_next_hash_and_then_given_back() {
    let passwords = passwords();
    for _ in 0..3 {
        assert!(!passwords.verify("correct horse battery", None).await.unwrap());
        assert_eq!(passwords.arenas.lock().len(), 1);
    }
    passwords.arenas.free_after(Duration::from_millis(1));
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    for _ in 0..1_000 {
        tick.tick().await;
        if passwords.arenas.lock().is_empty() {
            return;
        }
    }
    panic!("the memory is still held");
}
