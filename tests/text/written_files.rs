//! Files that are written whole or not at all.

use nanoembed::files;
use nanoembed::layers::{Dense, Layer};
use nanoembed::weights::{Npz, Weight, WeightsError, read};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Barrier;

/// A folder of one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("nanoembed-{}-{test}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("a folder");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{}: {error}", self.0.display());
        }
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("text")
}

#[test]
fn a_file_is_replaced_as_a_whole() {
    let folder = Folder::new("whole");
    let path = folder.path("model.npz");
    let mut model = Dense::<3, 2>::zeroed();
    for bias in [[0.5, -0.5], [1.0, 2.0]] {
        model.bias = bias;
        files::write(&path, |file| Npz::write(&model, file, Weight::by_name)).expect("written");
        let mut same = Dense::<3, 2>::zeroed();
        let mut file = Npz::new(File::open(&path).expect("a file")).expect("an archive");
        read(&mut same, &mut file, Weight::by_name).expect("the same keys");
        assert_eq!(same.bias, bias);
    }
    files::write(folder.path("short"), |file| file.write_all(b"a longer text")).expect("written");
    files::write(folder.path("short"), |file| file.write_all(b"short")).expect("written");
    assert_eq!(text(&folder.path("short")), "short");
    assert_eq!(folder.names(), ["model.npz", "short"]);
}

#[test]
fn a_writer_that_fails_midway_leaves_the_old_file() {
    let folder = Folder::new("midway");
    for old in [Some("old"), None] {
        let path = folder.path("model.image");
        if let Some(old) = old {
            fs::write(&path, old).expect("written");
        }
        let untouched = || {
            assert_eq!(fs::read_to_string(&path).ok().as_deref(), old);
            assert_eq!(folder.names().len(), usize::from(old.is_some()), "nothing is left beside it");
        };
        // More than a buffer holds, so that some of it is on the disk.
        let error = files::write(&path, |file| {
            file.write_all(&vec![7; 1 << 20])?;
            Err(io::Error::from(ErrorKind::StorageFull))
        });
        assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::StorageFull));
        untouched();
        // An error of the writer's own kind: two arrays with one key, found after the file was made.
        let error =
            files::write(&path, |file| Npz::write(&Dense::<3, 2>::zeroed(), file, |_| "same".to_owned()));
        assert!(matches!(error, Err(WeightsError::SameKey(_))), "{error:?}");
        untouched();
        let panicked = std::panic::catch_unwind(|| {
            files::write(&path, |file| -> io::Result<()> {
                file.write_all(&vec![7; 1 << 20])?;
                panic!("in the middle");
            })
        });
        assert!(panicked.is_err());
        untouched();
        if old.is_some() {
            fs::remove_file(&path).expect("removed");
        }
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        eprintln!("not run: this system has no /dev/full");
        return;
    }
    // As much as a buffer holds fails when it is written out at the end.
    for length in [1, 1 << 20] {
        let error = files::write(full, |file| file.write_all(&vec![7; length]));
        assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::StorageFull), "{length}");
    }
    let error = files::write(full, |file| Npz::write(&Dense::<3, 2>::zeroed(), file, Weight::by_order));
    assert!(matches!(error, Err(WeightsError::File(_))), "{error:?}");
    assert!(!full.metadata().expect("a device").is_file());
}

#[test]
fn a_read_only_file_stays() {
    let folder = Folder::new("read-only");
    let path = folder.path("model.image");
    fs::write(&path, "old").expect("written");
    let mut permissions = fs::metadata(&path).expect("a file").permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).expect("changed");
    let error = files::write(&path, |file| file.write_all(b"new"));
    assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::PermissionDenied));
    assert_eq!((text(&path), folder.names().len()), ("old".to_owned(), 1));
    // A folder that is missing, and one in the place of the file.
    for path in [folder.path("missing/model.image"), folder.0.clone()] {
        assert!(files::write(&path, |file| file.write_all(b"new")).is_err());
    }
    assert_eq!(folder.names().len(), 1);
}

#[test]
fn two_writers_of_one_file_do_not_mix() {
    let folder = Folder::new("two-writers");
    let path = folder.path("model.image");
    let start = Barrier::new(4);
    std::thread::scope(|scope| {
        for writer in 0..4_u8 {
            let (path, start) = (&path, &start);
            scope.spawn(move || {
                for _ in 0..20 {
                    files::write(path, |file| {
                        // All are in the middle of the same file at one time.
                        file.write_all(&vec![writer; 50_000])?;
                        file.flush()?;
                        start.wait();
                        file.write_all(&vec![writer; 50_000])
                    })
                    .expect("written");
                    let bytes = fs::read(path).expect("a file");
                    assert_eq!(bytes.len(), 100_000);
                    assert!(bytes.iter().all(|byte| *byte == bytes[0]));
                }
            });
        }
    });
    assert_eq!(folder.names(), ["model.image"]);
}

#[cfg(unix)]
#[test]
fn permissions_and_links_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new("links");
    let (path, link) = (folder.path("model.image"), folder.path("latest"));
    fs::write(&path, "old").expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("changed");
    symlink("model.image", &link).expect("a link");
    files::write(&link, |file| file.write_all(b"new")).expect("written");
    assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
    assert_eq!(text(&path), "new");
    assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o640);
    assert_eq!(folder.names(), ["latest", "model.image"]);
    // Links to what is not there yet.
    let (early, earlier) = (folder.path("early"), folder.path("earlier"));
    symlink("tomorrow.image", &early).expect("a link");
    symlink("early", &earlier).expect("a link");
    files::write(&earlier, |file| file.write_all(b"first")).expect("written");
    assert_eq!(text(&folder.path("tomorrow.image")), "first");
    assert!(early.is_symlink() && earlier.is_symlink());
}
