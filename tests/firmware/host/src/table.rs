//! The digests of several targets side by side.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::process::ExitCode;

/// A column: the target's name and its hash of each part; no hashes if it was not run.
struct Target<'a> {
    name: &'a str,
    hashes: Option<BTreeMap<String, String>>,
}

impl<'a> Target<'a> {
    /// Of `NAME=FILE`, where a file that is not there means a target that was not run.
    fn read(argument: &'a str) -> Result<Self, Box<dyn Error>> {
        let (name, file) = argument.split_once('=').ok_or("a target is NAME=FILE")?;
        let Ok(text) = fs::read_to_string(file) else { return Ok(Self { name, hashes: None }) };
        let split =
            |line: &str| line.rsplit_once(' ').map(|(part, hash)| (part.to_owned(), hash.trim().to_owned()));
        Ok(Self { name, hashes: Some(text.lines().filter_map(split).collect()) })
    }

    fn hash(&self, part: &str) -> &str {
        match &self.hashes {
            None => "NOT RUN",
            Some(hashes) => hashes.get(part).map_or("MISSING", String::as_str),
        }
    }
}

/// Fails unless there is a target that was run, and all that were agree in every part.
pub fn print(files: &[&str]) -> Result<ExitCode, Box<dyn Error>> {
    let targets = files.iter().map(|file| Target::read(file)).collect::<Result<Vec<_>, _>>()?;
    let run: Vec<&Target<'_>> = targets.iter().filter(|target| target.hashes.is_some()).collect();
    let width = parts::parts().map(|(name, _)| name.len()).max().unwrap_or(0);

    print!("{:width$}", "");
    targets.iter().for_each(|target| print!("  {:16}", target.name));
    println!();
    let mut equal = !run.is_empty();
    for (part, _) in parts::parts() {
        print!("{part:width$}");
        targets.iter().for_each(|target| print!("  {:16}", target.hash(part)));
        let agree = run.windows(2).all(|pair| pair[0].hash(part) == pair[1].hash(part))
            && run.iter().all(|target| target.hash(part) != "MISSING");
        println!("{}", if agree { "" } else { "  DIFFERENT" });
        equal &= agree;
    }
    println!(
        "{} parts, {} targets run, {} not run: {}",
        parts::parts().count(),
        run.len(),
        targets.len() - run.len(),
        if equal { "all equal" } else { "DIFFERENT" },
    );
    Ok(if equal { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
