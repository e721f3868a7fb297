//! Memory for a whole file.

/// glibc returns an allocation of more than 32 MiB to the system when it is freed. Of smaller ones it keeps more after each
/// that is freed.
const RETURNED: usize = (32 << 20) + 1;

/// An empty buffer with room for `length` bytes. What it does not use costs address space alone.
pub fn file_buffer(length: usize) -> Vec<u8> {
    Vec::with_capacity(length.max(RETURNED))
}
