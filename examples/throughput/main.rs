//! How fast: one JSON line for each case, for sizes given as arguments, so that others can be compared on the same work.
//!
//! ```text
//! cargo run --release --example throughput -- --rows 1000000 --dim 64 --huge
//! cargo run --release --example throughput -- --case bag --case update_adam --batch 2048 --bag 20 --ids zipf:1.05 --level avx2
//! ```
//!
//! A call works on the next of several sets of ids, so that the rows of a table above the size of the caches are not there from
//! the call before. It includes the check of the ids. `seconds` is the median time of a call over 15 samples, each of many calls;
//! `best_seconds` that of the fastest sample, the steadier figure when something else runs on the machine; `spread` is the
//! difference of the slowest and the fastest, divided by the median. `gb_per_s` counts the bytes of a row once an id, not the output.
//! One thread; pin it to a core (`taskset -c 1`).

mod cases;
mod ids;
mod memory;

use cases::Case;
use clap::Parser;
use ids::Distribution;
use nanoembed::simd::Level;
use serde_json::json;
use std::error::Error;
use std::time::Instant;

/// Times lookups and training steps; prints JSON lines.
#[derive(Debug, Parser)]
struct Settings {
    /// What to time, again for more; all if left out
    #[arg(long = "case", value_name = "CASE")]
    cases: Vec<Case>,
    /// Rows of the table, at most 4,294,967,295
    #[arg(long, default_value_t = 1_000_000, value_parser = rows)]
    rows: usize,
    /// Numbers in a row
    #[arg(long, default_value_t = 64, value_parser = at_least_one)]
    dim: usize,
    /// Bags a call; ids a call in gathers
    #[arg(long, default_value_t = 2048, value_parser = at_least_one)]
    batch: usize,
    /// Ids in a bag
    #[arg(long, default_value_t = 20, value_parser = at_least_one)]
    bag: usize,
    /// uniform, or zipf:EXPONENT with the ranks scattered over the table
    #[arg(long, default_value = "uniform")]
    ids: Distribution,
    /// The SIMD level; the best one of the processor if left out
    #[arg(long)]
    level: Option<String>,
    /// How long to measure each case, in seconds
    #[arg(long, default_value_t = 1.0, value_parser = positive)]
    seconds: f64,
    /// Tables and ids on pages of 2 MiB (Linux)
    #[arg(long)]
    huge: bool,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(error.to_string()),
    }
}

/// As many rows as ids of 32 bits can name.
fn rows(text: &str) -> Result<usize, String> {
    let rows = at_least_one(text)?;
    u32::try_from(rows).map_err(|_| "more than ids of 32 bits can name".to_owned())?;
    Ok(rows)
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if 0.0 < number && number < f64::INFINITY => Ok(number),
        Ok(_) => Err("must be above 0 and finite".to_owned()),
        Err(error) => Err(format!("{error}")),
    }
}

/// Seconds a call, over the samples.
struct Times {
    median: f64,
    best: f64,
    worst: f64,
}

/// Times `call`, which is told how many calls were before.
fn time(seconds: f64, mut call: impl FnMut(usize)) -> Times {
    const WARM_UP: usize = 2;
    const SAMPLES: usize = 15;
    let mut number = 0;
    let mut sample = |calls: usize| {
        let start = Instant::now();
        for _ in 0..calls {
            call(number);
            number += 1;
        }
        start.elapsed().as_secs_f64() / calls as f64
    };
    sample(WARM_UP);
    let calls = 1 + (seconds / SAMPLES as f64 / sample(1)) as usize;
    let mut samples: Vec<f64> = (0..SAMPLES).map(|_| sample(calls)).collect();
    samples.sort_by(f64::total_cmp);
    Times { median: samples[SAMPLES / 2], best: samples[0], worst: samples[SAMPLES - 1] }
}

/// To four digits.
fn rounded(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(number)
}

fn main() -> Result<(), Box<dyn Error>> {
    let settings = Settings::parse();
    if let Some(name) = &settings.level {
        let names: Vec<_> = Level::available().map(Level::name).collect();
        let level = Level::available().find(|level| level.name() == name);
        level.ok_or(format!("no level {name:?} on this processor; it has {names:?}"))?.set_current();
    }
    let cases = if settings.cases.is_empty() { Case::ALL } else { &settings.cases };
    for case in cases {
        let Settings { rows, dim, batch, bag, .. } = settings;
        let times = case.run(&settings)?;
        let bag = Some(bag).filter(|_| case.has_bags());
        let ids = (batch * bag.unwrap_or(1)) as f64;
        let line = json!({
            "peer": "nanoembed",
            "case": case.name(),
            "rows": rows,
            "dim": dim,
            "batch": batch,
            "bag": bag,
            "level": Level::current().name(),
            "ids": settings.ids.to_string(),
            "huge": settings.huge,
            "threads": 1,
            "seconds": rounded(times.median),
            "best_seconds": rounded(times.best),
            "spread": rounded((times.worst - times.best) / times.median),
            "rows_per_s": rounded(ids / times.median),
            "gb_per_s": rounded(ids * case.row_bytes(dim) as f64 / times.median / 1e9),
        });
        println!("{line}");
    }
    Ok(())
}
