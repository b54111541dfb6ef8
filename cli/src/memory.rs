//! Whether a machine promises as much memory as a training takes: told before it starts. What it promises it may
//! not have, if other programs take it.

use crate::failure::{Failure, Kind};

/// An error that names the options which make it smaller, if the machine does not give so many bytes.
pub(crate) fn check(bytes: usize, options: &str) -> Result<(), Failure> {
    if Vec::<u8>::new().try_reserve_exact(bytes).is_ok() {
        return Ok(());
    }
    let gigabytes = bytes as f64 / 1e9;
    let message =
        format!("the training takes {gigabytes:.0} GB of memory, more than there is: lower {options}");
    Err(Failure::new(Kind::Training, message))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_is_not_there_is_told() {
        assert!(check(1 << 10, "--rows").is_ok());
        let error = check(isize::MAX as usize, "--rows").expect_err("no machine has as much");
        assert!(error.to_string().contains("9223372037 GB") && error.to_string().ends_with("lower --rows"));
    }
}
