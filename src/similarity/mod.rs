//! Rows beside each other: how alike two vectors are, and which rows of a table are nearest to one.
//!
//! | to do this | take |
//! |---|---|
//! | compare two vectors | [`cosine`] |
//! | find the rows nearest to a vector | [`Search::nearest`], by inner product or by cosine |
//! | find those of many vectors | [`Search::nearest_of_each`], which reads the table once for all |
//! | ask what is to c as b is to a | [`Search::analogy`], with the formula of [`Analogy`] |
//! | compare scores with what people say | [`spearman`] |
//!
//! Searches are exact: they read every row. They take a table of any [`Format`](crate::table::Format), and rows
//! of `i8` and `u8` as they are, by integers: a quarter of the bytes is searched in about a quarter of the
//! time. All memory is the caller's. The core starts no threads: give each its rows
//! ([`Table::packed`](crate::table::Table::packed) of a part of the elements), and keep the best of what they
//! find.
//!
//! Rows have an order in every result: the higher score first, and of equal scores the lower row. With the
//! sums of [`kernels`](crate::kernels) this makes results the same on every processor, for each vector alone
//! or among many.
//!
//! ```
//! use nanoembed::similarity::{Analogy, Neighbour, Search, inverse_norms};
//! use nanoembed::table::Table;
//! //           man         woman        king        queen        apple
//! let rows = [[0.9, 0.1], [0.1, 0.9], [1.8, 0.3], [0.3, 1.8], [-0.5, -0.5]];
//! let table = Table::from_rows(&rows);
//! let mut norms = [0.0; 5];
//! inverse_norms(table, &mut norms)?; // once for a table
//! let search = Search::cosine(table, &norms)?;
//!
//! let mut found = [Neighbour::default(); 2];
//! let nearest = search.without(&[2]).nearest(&rows[2], &mut found)?;
//! assert_eq!(nearest[0].row, 0); // of king: man
//!
//! // Man is to woman as king is to whom?
//! let [man, woman, king] = [rows[0], rows[1], rows[2]];
//! let asked = search.without(&[0, 1, 2]);
//! let answers = asked.analogy([&man, &woman, &king], Analogy::Add, &mut found)?;
//! assert_eq!(answers[0].row, 3);
//! # Ok::<(), nanoembed::error::ShapeMismatch>(())
//! ```

mod best;
mod rank;
mod search;

pub use best::Neighbour;
pub use rank::spearman;
pub use search::{Analogy, Search, cosine, inverse_norms};
