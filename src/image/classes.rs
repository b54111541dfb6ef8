//! The names of the classes that a model tells apart.

use core::fmt;

/// The names of the classes, one for each output of the model, where they lie in an image; and the threshold
/// below which an answer is none of them.
///
/// ```
/// use nanoembed::{image::{self, Contents, Sections}, layers::{Dense, Layer, Softmax}};
/// let model = Dense::<3, 2, Softmax>::zeroed();
/// let contents = Contents { classes: &["praise", "complaint"], threshold: 0.6, ..Contents::default() };
/// let mut bytes = [0; 512];
/// let bytes = &mut bytes[..image::size_with::<Dense<3, 2, Softmax>>(&contents)];
/// image::write_with(&model, &contents, bytes)?;
///
/// let classes = Sections::read(bytes)?.classes().unwrap();
/// assert_eq!((classes.len(), classes.threshold()), (2, 0.6));
/// assert_eq!(classes.name(1), Some("complaint"));
/// assert_eq!(classes.position("praise"), Some(0));
/// # Ok::<(), image::ImageError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Classes<'a> {
    threshold: f32,
    /// Where each name starts, and where the last ends.
    offsets: &'a [[u8; 4]],
    names: &'a str,
}

/// What is wrong with the names of classes. Classes are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClassesError {
    /// There are none, but there is a threshold or a section for them.
    NoNames,
    /// There are not as many as the model has outputs.
    Count {
        /// The outputs of the model.
        expected: usize,
        /// The names.
        found: usize,
    },
    /// A class has an empty name.
    Empty {
        /// The class.
        class: usize,
    },
    /// Two classes have one name.
    Doubled {
        /// The class that has the name first.
        first: usize,
        /// The class that has it too.
        second: usize,
    },
    /// The name of a class is no UTF-8.
    NotUtf8 {
        /// The class.
        class: usize,
    },
    /// The name of a class ends before it starts, or after the section.
    Offsets {
        /// The class.
        class: usize,
    },
    /// The threshold is no number from 0 to 1.
    Threshold,
    /// The names are longer than 4 GB together.
    TooLong,
    /// The section has too few bytes or too many.
    Length {
        /// The right number of bytes, so far as it is known.
        expected: usize,
        /// The number found.
        found: usize,
    },
    /// The bytes after the names, up to a multiple of 4, are not zero.
    Padding,
}

impl fmt::Display for ClassesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNames => f.write_str("a threshold or a section of classes, but no names"),
            Self::Count { expected, found } => {
                write!(f, "{found} names of classes, but the model has {expected} outputs")
            }
            Self::Empty { class } => write!(f, "class {class} has an empty name"),
            Self::Doubled { first, second } => write!(f, "classes {first} and {second} have the same name"),
            Self::NotUtf8 { class } => write!(f, "the name of class {class} is no UTF-8"),
            Self::Offsets { class } => write!(f, "the name of class {class} lies outside the section"),
            Self::Threshold => f.write_str("the threshold is no number from 0 to 1"),
            Self::TooLong => f.write_str("the names of the classes are longer than 4 GB"),
            Self::Length { expected, found } => {
                write!(f, "expected {expected} bytes of names of classes, found {found}")
            }
            Self::Padding => f.write_str("the bytes after the names of the classes are not zero"),
        }
    }
}

impl core::error::Error for ClassesError {}

/// Bytes before the offsets: how many names there are, and the threshold.
const START: usize = 8;

/// What holds of `count` names and the threshold, wherever they come from.
fn check<'a>(
    count: usize,
    name: &dyn Fn(usize) -> Option<&'a str>,
    threshold: f32,
) -> Result<(), ClassesError> {
    if !(0.0..=1.0).contains(&threshold) {
        return Err(ClassesError::Threshold);
    }
    if count == 0 {
        return Err(ClassesError::NoNames);
    }
    for class in 0..count {
        let own = name(class);
        if own.is_none_or(str::is_empty) {
            return Err(ClassesError::Empty { class });
        }
        if let Some(first) = (0..class).find(|other| name(*other) == own) {
            return Err(ClassesError::Doubled { first, second: class });
        }
    }
    Ok(())
}

/// Whether the model has as many outputs as there are names, if their number is known: else it is 0.
pub(super) fn check_count(units: u32, found: usize) -> Result<(), ClassesError> {
    let expected = units as usize;
    if units == 0 || expected == found { Ok(()) } else { Err(ClassesError::Count { expected, found }) }
}

/// The length of a section with these names.
pub(super) fn size(names: &[&str]) -> usize {
    let texts = names.iter().fold(0, |bytes: usize, name| bytes.saturating_add(name.len()));
    let offsets = names.len().saturating_add(1).saturating_mul(4);
    (texts.saturating_add(3) / 4 * 4).saturating_add(offsets).saturating_add(START)
}

/// Whether names and threshold can be written.
pub(super) fn check_names(names: &[&str], threshold: f32) -> Result<(), ClassesError> {
    check(names.len(), &|class| names.get(class).copied(), threshold)?;
    u32::try_from(size(names)).map(drop).map_err(|_| ClassesError::TooLong)
}

/// Writes a section with these names, checked, part by part.
pub(super) fn write(names: &[&str], threshold: f32, part: &mut dyn FnMut(&[u8])) {
    part(&(names.len() as u32).to_le_bytes());
    part(&threshold.to_bits().to_le_bytes());
    let mut end = 0_u32;
    part(&end.to_le_bytes());
    for name in names {
        end = end.wrapping_add(name.len() as u32);
        part(&end.to_le_bytes());
    }
    for name in names {
        part(name.as_bytes());
    }
}

impl<'a> Classes<'a> {
    /// The classes in the bytes of a section, checked. The time grows with the square of their number, since
    /// each name is compared with each.
    ///
    /// ```
    /// use nanoembed::image::{Classes, ClassesError};
    /// // 1 class, no threshold, its name from 0 to 4.
    /// let section = *b"\x01\0\0\0\0\0\0\0\0\0\0\0\x04\0\0\0food";
    /// assert_eq!(Classes::read(&section)?.name(0), Some("food"));
    /// assert!(Classes::read(&section[..19]).is_err());
    /// # Ok::<(), ClassesError>(())
    /// ```
    ///
    /// # Errors
    /// If a name is empty, doubled or no UTF-8, the threshold is no number from 0 to 1, or the bytes are not
    /// as many as the offsets say.
    pub fn read(section: &'a [u8]) -> Result<Self, ClassesError> {
        let length = |expected| ClassesError::Length { expected, found: section.len() };
        let (count, rest) = section.split_first_chunk().ok_or(length(START))?;
        let (threshold, rest) = rest.split_first_chunk().ok_or(length(START))?;
        let ends = (u32::from_le_bytes(*count) as usize).saturating_add(1);
        let start = ends.saturating_mul(4).saturating_add(START);
        let (offsets, _) = rest.as_chunks().0.split_at_checked(ends).ok_or(length(start))?;
        let (_, texts) = rest.split_at_checked(offsets.as_flattened().len()).ok_or(length(start))?;
        let mut from = 0;
        for (number, end) in offsets.iter().enumerate() {
            // The first offset is where the first name starts.
            let class = number.saturating_sub(1);
            let end = u32::from_le_bytes(*end) as usize;
            if number == 0 && end != 0 {
                return Err(ClassesError::Offsets { class });
            }
            let name = texts.get(from..end).ok_or(ClassesError::Offsets { class })?;
            core::str::from_utf8(name).map_err(|_| ClassesError::NotUtf8 { class })?;
            from = end;
        }
        let (names, padding) = texts.split_at_checked(from).ok_or(length(start))?;
        let expected = from.next_multiple_of(4).saturating_add(start);
        if section.len() != expected {
            return Err(length(expected));
        }
        if padding.iter().any(|byte| *byte != 0) {
            return Err(ClassesError::Padding);
        }
        // Each name is UTF-8, so that all together are.
        let names = core::str::from_utf8(names).map_err(|_| ClassesError::NotUtf8 { class: 0 })?;
        let classes = Self { threshold: f32::from_bits(u32::from_le_bytes(*threshold)), offsets, names };
        check(classes.len(), &|class| classes.name(class), classes.threshold)?;
        Ok(classes)
    }

    /// The length of the section.
    pub(crate) fn size(&self) -> usize {
        let offsets = self.offsets.as_flattened().len();
        self.names.len().saturating_add(3) / 4 * 4 + offsets + START
    }

    /// Shows the bytes of the section, part by part, without the zeros at its end.
    pub(crate) fn visit(&self, part: &mut dyn FnMut(&[u8])) {
        part(&(self.len() as u32).to_le_bytes());
        part(&self.threshold.to_bits().to_le_bytes());
        part(self.offsets.as_flattened());
        part(self.names.as_bytes());
    }

    /// How many there are, at least one.
    #[expect(clippy::len_without_is_empty, reason = "there is at least one")]
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// The probability below which an answer is none of the classes; 0 if it never is.
    pub fn threshold(&self) -> f32 {
        self.threshold
    }

    /// The name of a class; `None` if there are not as many.
    pub fn name(&self, class: usize) -> Option<&'a str> {
        let [start, end, ..] = self.offsets.get(class..)? else { return None };
        self.names.get(u32::from_le_bytes(*start) as usize..u32::from_le_bytes(*end) as usize)
    }

    /// The names in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        let classes = *self;
        (0..classes.len()).filter_map(move |class| classes.name(class))
    }

    /// The class with this name; `None` if there is none.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.iter().position(|other| other == name)
    }
}
