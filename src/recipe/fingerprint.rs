//! A hash of a model's type, so that an image is not read as another model.

/// The 64-bit FNV-1a hash of a description of a type: names, extents, options. Of a model it is made from
/// the hashes hᵢ of its [`Records`](super::Records): h ← h · P + hᵢ from h = 0, P being the prime of FNV-1a.
///
/// Unlike `core::any::TypeId` it does not depend on the compiler, so that firmware and host agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u64);

/// The prime of 64-bit FNV-1a.
const PRIME: u64 = 0x0000_0100_0000_01b3;

impl Fingerprint {
    /// Of no record.
    pub(crate) const NOTHING: Self = Self(0);
    /// The hash of no byte.
    pub(crate) const EMPTY: Self = Self(0xcbf2_9ce4_8422_2325);

    /// The start of a description: the kind of layer.
    pub const fn of(name: &str) -> Self {
        Self::EMPTY.name(name)
    }

    /// With the hash of one more record.
    pub(crate) const fn then(self, record: Self) -> Self {
        Self(self.0.wrapping_mul(PRIME).wrapping_add(record.0))
    }

    /// Adds an option's name.
    #[must_use]
    pub const fn name(self, name: &str) -> Self {
        self.extent(name.len()).bytes(name.as_bytes())
    }

    /// Adds an extent.
    #[must_use]
    pub const fn extent(self, extent: usize) -> Self {
        self.bytes(&(extent as u64).to_le_bytes())
    }

    /// Adds the description of a part.
    #[must_use]
    pub const fn part(self, part: Self) -> Self {
        self.bytes(&part.0.to_le_bytes())
    }

    /// The hash.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// Adds bytes.
    pub(super) const fn bytes(self, bytes: &[u8]) -> Self {
        let (mut hash, mut rest) = (self.0, bytes);
        while let [byte, after @ ..] = rest {
            hash = (hash ^ *byte as u64).wrapping_mul(PRIME);
            rest = after;
        }
        Self(hash)
    }
}
