//! Input made of integers, output folded into a hash.

/// FNV-1a with 64 bits over everything that it is given.
#[derive(Clone, Copy, Debug)]
pub struct Fold(u64);

impl Fold {
    pub fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub fn hash(self) -> u64 {
        self.0
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// A count or an index: the same on processors with words of 32 and of 64 bits.
    pub fn number(&mut self, number: usize) {
        self.bytes(&(number as u64).to_le_bytes());
    }

    /// The bits, but for NaN: its sign and payload are no promise of the crate.
    pub fn float(&mut self, x: f32) {
        let bits = if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() };
        self.bytes(&bits.to_le_bytes());
    }

    pub fn floats(&mut self, numbers: &[f32]) {
        for &x in numbers {
            self.float(x);
        }
    }
}

impl Default for Fold {
    fn default() -> Self {
        Self::new()
    }
}

/// Marsaglia's xorshift with 32 bits.
pub struct Data(u32);

impl Data {
    pub fn new(seed: u32) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9) | 1)
    }

    pub fn bits(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() >> 8) as usize % end
    }

    /// A number in [−2, 2).
    pub fn float(&mut self) -> f32 {
        (self.bits() >> 8) as f32 / (1 << 22) as f32 - 2.0
    }

    pub fn fill(&mut self, numbers: &mut [f32]) {
        for x in numbers {
            *x = self.float();
        }
    }

    pub fn floats<const N: usize>(&mut self) -> [f32; N] {
        let mut numbers = [0.0; N];
        self.fill(&mut numbers);
        numbers
    }

    /// Ids below `rows`, some of them several times.
    pub fn ids<const N: usize>(&mut self, rows: usize) -> [u16; N] {
        [0; N].map(|_: u16| self.below(rows) as u16)
    }
}
