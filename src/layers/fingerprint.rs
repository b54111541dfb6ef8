//! A hash of a model's type, so that an image is not read as another model.

/// The 64-bit FNV-1a hash of a description of a type: names, extents, options.
///
/// Unlike `core::any::TypeId` it does not depend on the compiler, so that firmware and host agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// The start of a description: the kind of layer.
    pub const fn of(name: &str) -> Self {
        Self(0xcbf2_9ce4_8422_2325).name(name)
    }

    /// Adds an option's name.
    #[must_use]
    pub const fn name(self, name: &str) -> Self {
        let bytes = name.as_bytes();
        let mut hash = self.extent(bytes.len());
        let mut i = 0;
        while i < bytes.len() {
            hash = hash.byte(bytes[i]);
            i += 1;
        }
        hash
    }

    /// Adds an extent.
    #[must_use]
    pub const fn extent(self, extent: usize) -> Self {
        self.number(extent as u64)
    }

    /// Adds the description of a part.
    #[must_use]
    pub const fn part(self, part: Self) -> Self {
        self.number(part.0)
    }

    /// The hash.
    pub const fn value(self) -> u64 {
        self.0
    }

    const fn number(self, number: u64) -> Self {
        let bytes = number.to_le_bytes();
        let mut hash = self;
        let mut i = 0;
        while i < bytes.len() {
            hash = hash.byte(bytes[i]);
            i += 1;
        }
        hash
    }

    const fn byte(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3))
    }
}
