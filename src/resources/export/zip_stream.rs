//! A ZIP that is written as it is sent (PKWARE's APPNOTE.TXT 6.3.10). What its directory repeats of each file waits in a
//! temporary file, so that a million files need no memory. Sizes are 64 bits wide throughout.

use std::io::{self, Read as _, Seek as _, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use tempfile::{SpooledTempFile, spooled_tempfile};

/// A directory of more bytes goes to the disk.
const IN_MEMORY: usize = 1 << 20;
const VERSION: u16 = 45;
/// The sizes follow the content, and names are UTF-8.
const FLAGS: u16 = 1 << 3 | 1 << 11;
const DEFLATED: u16 = 8;
/// The first of January 1980, which stands for no date.
const DATE: u16 = 0x21;
/// Stands for a number that is in the extra field.
const ELSEWHERE: u32 = u32::MAX;
/// A regular file that its owner may change and everyone may read, as Unix has it.
const MODE: u32 = 0o100_644 << 16;

pub struct ZipStream<'a> {
    out: &'a mut dyn Write,
    written: u64,
    directory: SpooledTempFile,
    files: u64,
    encoder: DeflateEncoder<Vec<u8>>,
    current: Option<Current>,
}

/// The file that is being written.
struct Current {
    name: String,
    begins: u64,
    crc: crc32fast::Hasher,
    size: u64,
    compressed: u64,
}

impl<'a> ZipStream<'a> {
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            written: 0,
            directory: spooled_tempfile(IN_MEMORY),
            files: 0,
            encoder: DeflateEncoder::new(Vec::new(), Compression::new(1)),
            current: None,
        }
    }

    /// Ends the file before, and begins one that is filled by writing to this.
    pub fn begin(&mut self, name: &str) -> io::Result<()> {
        self.end_file()?;
        let begins = self.written;
        let mut header = Record::new(0x0403_4b50);
        header.u16(VERSION).u16(FLAGS).u16(DEFLATED).u16(0).u16(DATE);
        header.u32(0).u32(ELSEWHERE).u32(ELSEWHERE).name_and_extra(name, &[0, 0])?;
        self.send(&header.0)?;
        let (name, crc) = (name.to_owned(), crc32fast::Hasher::new());
        self.current = Some(Current { name, begins, crc, size: 0, compressed: 0 });
        Ok(())
    }

    /// Writes the directory.
    pub fn finish(mut self) -> io::Result<()> {
        self.end_file()?;
        let begins = self.written;
        self.directory.rewind()?;
        let mut piece = vec![0; 64 << 10];
        loop {
            let count = self.directory.read(&mut piece)?;
            if count == 0 {
                break;
            }
            self.send(&piece[..count])?;
        }
        let ends = self.written;
        let mut end = Record::new(0x0606_4b50);
        end.u64(44).u16(VERSION).u16(VERSION).u32(0).u32(0).u64(self.files).u64(self.files);
        end.u64(ends - begins).u64(begins);
        self.send(&end.0)?;
        let mut locator = Record::new(0x0706_4b50);
        locator.u32(0).u64(ends).u32(1);
        self.send(&locator.0)?;
        let mut last = Record::new(0x0605_4b50);
        last.u16(0).u16(0).u16(u16::MAX).u16(u16::MAX).u32(ELSEWHERE).u32(ELSEWHERE).u16(0);
        self.send(&last.0)
    }

    fn end_file(&mut self) -> io::Result<()> {
        let Some(mut file) = self.current.take() else { return Ok(()) };
        let rest = self.encoder.reset(Vec::new())?;
        file.compressed += rest.len() as u64;
        self.send(&rest)?;
        let crc = file.crc.finalize();
        let mut sizes = Record::new(0x0807_4b50);
        sizes.u32(crc).u64(file.compressed).u64(file.size);
        self.send(&sizes.0)?;
        let mut entry = Record::new(0x0201_4b50);
        entry.u16(3 << 8 | VERSION).u16(VERSION).u16(FLAGS).u16(DEFLATED).u16(0).u16(DATE);
        entry.u32(crc).u32(ELSEWHERE).u32(ELSEWHERE);
        entry.listed(&file.name, &[file.size, file.compressed, file.begins])?;
        self.files += 1;
        self.directory.write_all(&entry.0)
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

impl Write for ZipStream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(file) = &mut self.current else { return Err(io::ErrorKind::InvalidInput.into()) };
        file.crc.update(bytes);
        file.size += bytes.len() as u64;
        self.encoder.write_all(bytes)?;
        let compressed = self.encoder.get_mut();
        file.compressed += compressed.len() as u64;
        self.written += compressed.len() as u64;
        self.out.write_all(compressed)?;
        compressed.clear();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Numbers as ZIP has them: the lowest byte first.
struct Record(Vec<u8>);

impl Record {
    fn new(signature: u32) -> Self {
        Self(signature.to_le_bytes().to_vec())
    }

    fn u16(&mut self, number: u16) -> &mut Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn u32(&mut self, number: u32) -> &mut Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn u64(&mut self, number: u64) -> &mut Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    /// The lengths of the name and of the extra field, then both.
    fn name_and_extra(&mut self, name: &str, numbers: &[u64]) -> io::Result<()> {
        self.lengths(name, numbers)?;
        self.name_and_numbers(name, numbers);
        Ok(())
    }

    /// The same with what only the directory has between: comment, disk, attributes and place.
    fn listed(&mut self, name: &str, numbers: &[u64]) -> io::Result<()> {
        self.lengths(name, numbers)?;
        self.u16(0).u16(0).u16(0).u32(MODE).u32(ELSEWHERE);
        self.name_and_numbers(name, numbers);
        Ok(())
    }

    fn lengths(&mut self, name: &str, numbers: &[u64]) -> io::Result<()> {
        let length = u16::try_from(name.len()).map_err(io::Error::other)?;
        self.u16(length).u16(4 + width(numbers));
        Ok(())
    }

    fn name_and_numbers(&mut self, name: &str, numbers: &[u64]) {
        self.0.extend(name.as_bytes());
        self.u16(1).u16(width(numbers));
        for number in numbers {
            self.u64(*number);
        }
    }
}

/// The numbers' bytes in an extra field.
fn width(numbers: &[u64]) -> u16 {
    if numbers.len() == 2 { 16 } else { 24 }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use zip::ZipArchive;

    use super::*;

    #[test]
    fn what_was_written_is_read_by_others() {
        let mut bytes = Vec::new();
        let mut archive = ZipStream::new(&mut bytes);
        let long = "A line that comes again.\n".repeat(20_000);
        for (name, text) in [("empty.txt", ""), ("entries/Ærø-東.md", "Tide tables"), ("long.txt", &long)]
        {
            archive.begin(name).unwrap();
            text.as_bytes().chunks(1000).for_each(|part| archive.write_all(part).unwrap());
        }
        archive.finish().unwrap();
        assert!(bytes.len() < long.len() / 10, "it is compressed");
        let mut read = ZipArchive::new(Cursor::new(&bytes)).unwrap();
        assert_eq!(read.len(), 3);
        for (name, text) in [("empty.txt", ""), ("entries/Ærø-東.md", "Tide tables"), ("long.txt", &long)]
        {
            let mut found = String::new();
            let mut file = read.by_name(name).unwrap();
            assert!(file.is_file() && file.unix_mode() == Some(0o100_644));
            file.read_to_string(&mut found).unwrap();
            assert_eq!(found, text);
        }
    }

    #[test]
    fn the_directory_of_many_files_is_on_the_disk() {
        let mut bytes = Vec::new();
        let mut archive = ZipStream::new(&mut bytes);
        for number in 0..20_000 {
            archive.begin(&format!("entries/the-{number}th-of-many-files.md")).unwrap();
            archive.write_all(b"text").unwrap();
        }
        assert!(archive.directory.is_rolled());
        archive.finish().unwrap();
        let read = ZipArchive::new(Cursor::new(&bytes)).unwrap();
        assert_eq!(read.len(), 20_000);
        assert!(read.index_for_name("entries/the-19999th-of-many-files.md").is_some());
    }
}
