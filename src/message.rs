//! Texts that are put together at compile time: what a const assertion says can name sizes.

/// A text of up to `CAPACITY` bytes; what does not fit is left out.
#[derive(Clone, Copy, Debug)]
pub struct Message<const CAPACITY: usize> {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl<const CAPACITY: usize> Message<CAPACITY> {
    /// No text.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: [0; CAPACITY], length: 0 }
    }

    /// Appends a text.
    #[must_use]
    pub const fn text(mut self, text: &str) -> Self {
        let mut rest = text.as_bytes();
        while let ([byte, after @ ..], true) = (rest, self.length < CAPACITY) {
            self.bytes[self.length] = *byte;
            self.length += 1;
            rest = after;
        }
        self
    }

    /// Appends a number.
    #[must_use]
    pub const fn number(self, number: usize) -> Self {
        let digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        let more = if number < 10 { self } else { self.number(number / 10) };
        more.text(digits[number % 10])
    }

    /// The text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            // A character was cut in two.
            Err(_) => "a text too long to be shown",
        }
    }
}

impl<const CAPACITY: usize> Default for Message<CAPACITY> {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether two texts are equal, at compile time.
pub(crate) const fn equal(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while let ([x, a_rest @ ..], [y, b_rest @ ..]) = (a, b) {
        if *x != *y {
            return false;
        }
        (a, b) = (a_rest, b_rest);
    }
    a.is_empty() && b.is_empty()
}

#[cfg(test)]
mod tests {
    use super::{Message, equal};

    #[test]
    fn texts_of_texts_and_numbers() {
        let message = Message::<40>::new().text("needs ").number(0).text(", has ").number(1_234_567_890);
        assert_eq!(message.as_str(), "needs 0, has 1234567890");
        assert_eq!(Message::<4>::new().text("abc").number(12).as_str(), "abc1");
        assert_eq!(Message::<3>::new().text("aüü").as_str(), "aü");
        assert_eq!(Message::<2>::new().text("aü").as_str(), "a text too long to be shown");
        assert!(equal("", "") && equal("ab", "ab") && !equal("ab", "abc") && !equal("abc", "ab"));
        assert!(!equal("ab", "ac"));
    }
}
