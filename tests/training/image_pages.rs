//! Images that are written and read a page at a time: the bytes of those that are written at once; no cut or damaged one is
//! ever taken for whole.

use crate::common::image_of;
use crate::images::pattern;
use nanoembed::image::{self, Contents, ImageError, PageError};
use nanoembed::internals::HEADER;
use nanoembed::layers::options::Sum;
use nanoembed::layers::{Bytes, Dense, Embedding, EmbeddingBag, Flatten, Layer, Packed, Softmax, U4Row};
use nanoembed::sequential;

type Small = sequential![Embedding<2, 3, 2>, Flatten<2, 2, 4>, Dense<4, 2, Softmax>];
/// 21 bytes of rows, so that parts of a page are of any length.
type Shipped = sequential![Packed<EmbeddingBag<4, 3, 5, Sum>, U4Row<5, 7>, 3>, Dense<5, 2, Softmax>];

fn contents() -> Contents<'static> {
    Contents {
        classes: &["yes", "no"],
        threshold: 0.5,
        metadata: b"a date",
        vocabulary: Some(b"words"),
        ..Contents::default()
    }
}

fn whole<M: Layer>(model: &M, contents: &Contents<'_>) -> Vec<u8> {
    let mut image = vec![0; image::size_with::<M>(contents)];
    image::write_with(model, contents, &mut image).expect("the right length");
    image
}

fn bytes_of<M: Layer>(model: &M) -> Vec<u8> {
    let mut bytes = Vec::new();
    model.visit(&mut |part| bytes.extend_from_slice(part));
    bytes
}

/// What the storage says when it fails.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Broken(usize);

/// Storage whose calls from number `fails` on fail.
struct Storage {
    bytes: Vec<u8>,
    fails: usize,
    calls: Vec<(usize, usize)>,
}

impl Storage {
    fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, fails: usize::MAX, calls: vec![] }
    }

    fn call(&mut self, offset: usize, length: usize) -> Result<(), Broken> {
        self.calls.push((offset, length));
        if self.calls.len() > self.fails { Err(Broken(self.fails)) } else { Ok(()) }
    }

    fn write(&mut self, offset: usize, page: &[u8]) -> Result<(), Broken> {
        self.call(offset, page.len())?;
        self.bytes[offset..][..page.len()].copy_from_slice(page);
        Ok(())
    }

    fn read(&mut self, offset: usize, page: &mut [u8]) -> Result<(), Broken> {
        self.call(offset, page.len())?;
        page.copy_from_slice(&self.bytes[offset..][..page.len()]);
        Ok(())
    }
}

fn write<M: Layer>(
    model: &M,
    contents: &Contents<'_>,
    page: usize,
    to: &mut Storage,
) -> Result<(), PageError<Broken>> {
    image::write_pages(model, contents, &mut vec![0xaa; page], |offset, page| to.write(offset, page))
}

fn read<M: Layer>(model: &mut M, page: usize, from: &mut Storage) -> Result<(), PageError<Broken>> {
    let length = from.bytes.len();
    image::read_pages(model, length, &mut vec![0xaa; page], |offset, page| from.read(offset, page))
}

fn every_page_size<M: Layer>(contents: &Contents<'_>) {
    let model = pattern::<M>();
    let image = whole(&model, contents);
    for page in (1..=image.len() + 1).chain([4096]) {
        let mut storage = Storage::new(vec![0xff; image.len()]);
        write(&model, contents, page, &mut storage).expect("storage that works");
        assert!(storage.bytes == image, "pages of {page}");
        // Each page once, the first of them last.
        let starts: Vec<usize> = (0..image.len()).step_by(page).collect();
        let expected = starts.iter().skip(1).chain(&starts[..1]).map(|at| (*at, page.min(image.len() - at)));
        assert!(storage.calls.iter().copied().eq(expected), "pages of {page}");

        let mut same = M::zeroed();
        // What lies behind the image does not matter.
        storage.bytes.extend([0x55; 100]);
        storage.calls.clear();
        read(&mut same, page, &mut storage).expect("an unharmed image");
        assert!(bytes_of(&same) == bytes_of(&model), "pages of {page}");
        // The header, whatever the length of a page, then pages.
        let (header, rest) = storage.calls.split_first().expect("it is read");
        assert_eq!(*header, (0, HEADER));
        assert!(rest.iter().all(|(_, length)| *length <= page));
    }
}

#[test]
fn pages_of_every_size_hold_the_image() {
    every_page_size::<Small>(&Contents::default());
    every_page_size::<Small>(&contents());
    every_page_size::<Shipped>(&contents());
    every_page_size::<Dense<1, 1>>(&Contents::default());
}

/// A write that ends at any page leaves nothing that can be read, whatever stood there before.
#[test]
fn a_write_that_fails_never_looks_whole() {
    let model = pattern::<Small>();
    let image = whole(&model, &contents());
    let mut other = pattern::<Small>();
    other.first.rows[2][1] = 9.0;
    let before = whole(&other, &contents());
    for page in [1, 4, 60, 64, 65, 128, 500] {
        let pages = image.len().div_ceil(page);
        for fails in 0..pages {
            for old in [vec![0xff; image.len()], before.clone()] {
                let mut storage = Storage { fails, ..Storage::new(old.clone()) };
                let result = write(&model, &contents(), page, &mut storage);
                assert_eq!(result, Err(PageError::Storage(Broken(fails))), "pages of {page}");
                assert_eq!(storage.calls.len(), fails + 1, "nothing is written after the error");
                let read = image::read_into::<Small>(&storage.bytes, &mut Small::zeroed());
                // The old image is whole until the first byte that differs has been written, and the new one from the
                // last on.
                let is_whole = storage.bytes == before || storage.bytes == image;
                assert_eq!(read.is_ok(), is_whole, "pages of {page}, {fails} written");
            }
        }
    }
}

#[test]
fn storage_that_fails_while_it_is_read() {
    let model = pattern::<Small>();
    let image = whole(&model, &contents());
    for page in [1, 7, 64, 100, image.len()] {
        let mut storage = Storage::new(image.clone());
        let mut copy = Small::zeroed();
        read(&mut copy, page, &mut storage).expect("an unharmed image");
        let (calls, checks) = (storage.calls.len(), 1 + image.len().div_ceil(page));
        assert_eq!(calls, checks + Small::BYTES.div_ceil(page));
        for fails in 0..calls {
            let mut storage = Storage { fails, ..Storage::new(image.clone()) };
            let mut copy = pattern::<Small>();
            copy.first.rows[0][0] = 0.25;
            let before = bytes_of(&copy);
            assert_eq!(read(&mut copy, page, &mut storage), Err(PageError::Storage(Broken(fails))));
            let expected = if fails < checks { before } else { vec![0; Small::BYTES] };
            assert!(bytes_of(&copy) == expected, "pages of {page}, {fails} read");
        }
    }
}

/// Each damaged byte, each missing or additional one that the header tells of: the model stays as it was, and the error is that
/// of an image that is read at once.
#[test]
fn damage_leaves_the_model_as_it_was() {
    let image = whole(&pattern::<Small>(), &contents());
    let mut model = Small::zeroed();
    model.first.rows[0][0] = 0.25;
    let before = bytes_of(&model);
    for at in 0..image.len() {
        for page in [16, 100, 1024] {
            let mut damaged = image.clone();
            damaged[at] ^= 1 << (at % 8);
            let at_once = image::read_into(&damaged, &mut Small::zeroed()).expect_err("a damaged image");
            let found = read(&mut model, page, &mut Storage::new(damaged));
            // A damaged length is found by what can be read, or by the checksum of what is read.
            match (found, at_once) {
                (Err(PageError::Image(ImageError::Checksum { .. })), ImageError::Length { .. }) => {}
                (found, at_once) => assert_eq!(found, Err(PageError::Image(at_once)), "byte {at}"),
            }
            assert!(bytes_of(&model) == before, "byte {at}");
        }
    }
    for length in 0..image.len() {
        let found = read(&mut model, 64, &mut Storage::new(image[..length].to_vec()));
        let expected = image::read_into(&image[..length], &mut Small::zeroed()).expect_err("a cut image");
        assert_eq!(found, Err(PageError::Image(expected)));
    }
    assert!(bytes_of(&model) == before);
}

#[test]
fn what_is_asked_wrongly() {
    let image = image_of(&pattern::<Small>());
    let nothing = Err(PageError::Image(ImageError::Length { expected: 1, found: 0 }));
    let mut storage = Storage::new(image);
    assert_eq!(write(&pattern::<Small>(), &Contents::default(), 0, &mut storage), nothing);
    assert_eq!(read(&mut Small::zeroed(), 0, &mut storage), nothing);
    assert!(storage.calls.is_empty());
    let one_name = Contents { classes: &["yes"], ..Contents::default() };
    let refused = write(&pattern::<Small>(), &one_name, 64, &mut storage);
    assert!(matches!(refused, Err(PageError::Image(ImageError::Classes(_)))), "{refused:?}");
    assert!(storage.calls.is_empty());
    let other = read(&mut Shipped::zeroed(), 64, &mut storage);
    assert!(matches!(other, Err(PageError::Image(ImageError::Fingerprint { .. }))), "{other:?}");
}
