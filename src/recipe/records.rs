//! The records of a type of layers, known at compile time.

use super::Fingerprint;
use super::record::{LayerKind, Record, Source};

/// What a type of layers is made of, as plain numbers: what
/// [`Layer::RECORDS`](crate::layers::Layer::RECORDS) tells.
///
/// A layer of your own is one record, told from others by its [`Fingerprint`]:
///
/// ```
/// use nanoembed::layers::{Fingerprint, Records};
/// const RECORDS: Records = Records::own(Fingerprint::of("scale").extent(8));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Records(Node);

#[derive(Clone, Copy, Debug)]
enum Node {
    /// One layer, and how many values it takes.
    Layer(Record, usize),
    /// The second takes what the first gives.
    Chain(&'static Records, &'static Records),
    /// Beside each other.
    Branches(&'static Records, &'static Records),
    /// Layers that do not learn.
    Frozen(&'static Records),
}

/// Values beside each other that a model may have, at most.
const MOST: usize = 64;

/// Values that flow: where each comes from, and how many numbers it has.
#[derive(Clone, Copy)]
struct Values {
    list: [(Place, u32); MOST],
    len: usize,
}

/// Where a value comes from.
#[derive(Clone, Copy)]
enum Place {
    Input(usize),
    /// The output of the record with this number.
    Record(usize),
}

/// A walk over records in order, as far as one of them.
#[derive(Clone, Copy)]
struct Walk {
    /// The number of the record that is looked for.
    wanted: usize,
    found: Option<Record>,
    /// How many records there were.
    count: usize,
    fingerprint: Fingerprint,
    /// The same, with what does not learn.
    learning: Fingerprint,
}

impl Values {
    const NONE: Self = Self { list: [(Place::Input(0), 0); MOST], len: 0 };

    const fn one(place: Place, width: u32) -> Self {
        let mut values = Self::NONE;
        values.push((place, width));
        values
    }

    const fn push(&mut self, value: (Place, u32)) {
        assert!(self.len < MOST, "a model has at most 64 values beside each other");
        self.list[self.len] = value;
        self.len += 1;
    }

    /// Those from number `from` on, at most `count`.
    const fn part(&self, from: usize, count: usize) -> Self {
        let mut values = Self::NONE;
        let mut i = from;
        while i < self.len && values.len < count {
            values.push(self.list[i]);
            i += 1;
        }
        values
    }

    const fn followed_by(mut self, other: &Self) -> Self {
        let mut i = 0;
        while i < other.len {
            self.push(other.list[i]);
            i += 1;
        }
        self
    }
}

impl Walk {
    const fn new(wanted: usize) -> Self {
        let nothing = Fingerprint::NOTHING;
        Self { wanted, found: None, count: 0, fingerprint: nothing, learning: nothing }
    }

    /// The source that stands for a place, in the next record.
    const fn source(&self, place: Place) -> Source {
        match place {
            Place::Input(number) => Source::Input(number as u16),
            Place::Record(number) => Source::Back((self.count - number) as u16),
        }
    }

    /// Takes the next record, which takes up to two values.
    const fn take(&mut self, record: Record, from: &Values, frozen: bool) -> Values {
        let record = match from.len {
            0 => record,
            1 => record.from(self.source(from.list[0].0)),
            _ => record.from_both(self.source(from.list[0].0), self.source(from.list[1].0)),
        };
        self.fingerprint = record.thawed().fold_into(self.fingerprint);
        let record = if frozen { record.frozen() } else { record };
        self.learning = record.fold_into(self.learning);
        if self.count == self.wanted {
            self.found = Some(record);
        }
        self.count += 1;
        Values::one(Place::Record(self.count - 1), record.width())
    }

    /// Takes the next records; gives what they give.
    const fn over(&mut self, records: &Records, values: &Values, frozen: bool) -> Values {
        match &records.0 {
            Node::Layer(record, _) if record.kind == LayerKind::Concatenate as u16 => {
                self.concatenate(values, frozen)
            }
            Node::Layer(record, _) => self.take(*record, values, frozen),
            Node::Chain(first, second) => {
                let middle = self.over(first, values, frozen);
                self.over(second, &middle, frozen)
            }
            Node::Branches(first, second) => {
                let of_first = first.inputs();
                let a = self.over(first, &values.part(0, of_first), frozen);
                let b = self.over(second, &values.part(of_first, MOST), frozen);
                a.followed_by(&b)
            }
            Node::Frozen(records) => self.over(records, values, true),
        }
    }

    /// Joins vectors two by two, the first two first.
    const fn concatenate(&mut self, values: &Values, frozen: bool) -> Values {
        let mut joined = values.part(0, 1);
        let mut i = 1;
        while i < values.len {
            let next = values.part(i, 1);
            let widths = [joined.list[0].1 as usize, next.list[0].1 as usize];
            let record = Record::new(LayerKind::Concatenate, &widths);
            joined = self.take(record, &joined.followed_by(&next), frozen);
            i += 1;
        }
        joined
    }
}

impl Records {
    /// The record of a layer that takes one value.
    #[must_use]
    pub(crate) const fn layer(record: Record) -> Self {
        Self(Node::Layer(record, 1))
    }

    /// The record of a layer that takes a pair of values, or of pairs: so many in all.
    #[must_use]
    pub(crate) const fn joining(record: Record, values: usize) -> Self {
        Self(Node::Layer(record, values))
    }

    /// The record of a layer of your own that takes one value.
    #[must_use]
    pub const fn own(fingerprint: Fingerprint) -> Self {
        Self::layer(Record::own(fingerprint))
    }

    /// The records of two layers, the second of which takes what the first gives.
    #[must_use]
    pub(crate) const fn chain(first: &'static Self, second: &'static Self) -> Self {
        Self(Node::Chain(first, second))
    }

    /// The records of two layers beside each other.
    #[must_use]
    pub(crate) const fn branches(first: &'static Self, second: &'static Self) -> Self {
        Self(Node::Branches(first, second))
    }

    /// The records of layers that do not learn.
    #[must_use]
    pub(crate) const fn frozen(layers: &'static Self) -> Self {
        Self(Node::Frozen(layers))
    }

    /// The one record of a table.
    pub(crate) const fn table(&self) -> Record {
        match self.0 {
            Node::Layer(record, _) => record,
            _ => panic!("a layer that is nothing but a table has one record"),
        }
    }

    /// How many values they take.
    const fn inputs(&self) -> usize {
        match &self.0 {
            Node::Layer(_, values) => *values,
            Node::Chain(first, _) => first.inputs(),
            Node::Branches(first, second) => first.inputs() + second.inputs(),
            Node::Frozen(layers) => layers.inputs(),
        }
    }

    const fn walk(&self, wanted: usize) -> Walk {
        let mut inputs = Values::NONE;
        while inputs.len < self.inputs() {
            inputs.push((Place::Input(inputs.len), 0));
        }
        let mut walk = Walk::new(wanted);
        walk.over(self, &inputs, false);
        walk
    }

    /// The first record.
    pub(crate) const fn first(&self) -> Option<Record> {
        self.walk(0).found
    }

    /// How many records there are.
    pub(crate) const fn count(&self) -> usize {
        self.walk(usize::MAX).count
    }

    /// The records, front to back, the rest filled up.
    pub(crate) const fn list<const N: usize>(&self) -> [Record; N] {
        let mut list = [Record::new(LayerKind::Own, &[]); N];
        let mut i = 0;
        while let (Some(record), true) = (self.walk(i).found, i < N) {
            list[i] = record;
            i += 1;
        }
        list
    }

    /// The hash of all records and of what does not learn: which slots an optimizer keeps.
    pub(crate) const fn learning(&self) -> Fingerprint {
        self.walk(usize::MAX).learning
    }

    /// The hash of all records.
    pub(crate) const fn fingerprint(&self) -> Fingerprint {
        self.walk(usize::MAX).fingerprint
    }
}
