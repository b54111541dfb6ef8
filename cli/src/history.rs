//! The epochs of a training: as lines of JSON, and as curves.

use crate::failure::Failure;
use crate::plot::{Chart, Curves, Line, Scale};
use crate::training::Judged;
use nanoembed::train::Report;
use serde_json::{Value, json};

/// Loss and accuracy of an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Means {
    loss: f64,
    accuracy: f64,
    /// Of texts that are held out.
    macro_f1: Option<f64>,
}

/// What came of an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Epoch {
    number: u32,
    /// Of the examples that were learnt from, while they were.
    learnt: Means,
    /// Of those that were held out, behind it.
    held_out: Option<Means>,
}

impl From<Report> for Means {
    fn from(report: Report) -> Self {
        Self { loss: report.loss.into(), accuracy: report.accuracy.into(), macro_f1: None }
    }
}

impl From<Judged> for Means {
    fn from(judged: Judged) -> Self {
        Self { macro_f1: Some(judged.macro_f1), ..judged.report.into() }
    }
}

impl Means {
    fn as_json(self) -> Value {
        let mut means = json!({"loss": self.loss, "accuracy": self.accuracy});
        if let Some(macro_f1) = self.macro_f1 {
            means["macro_f1"] = json!(macro_f1);
        }
        means
    }

    fn of_json(value: &Value) -> Option<Self> {
        let number = |name: &str| value.get(name).and_then(Value::as_f64);
        Some(Self { loss: number("loss")?, accuracy: number("accuracy")?, macro_f1: number("macro_f1") })
    }
}

impl Epoch {
    pub(crate) fn new(number: u32, learnt: Report, held_out: Option<Judged>) -> Self {
        Self { number, learnt: learnt.into(), held_out: held_out.map(Means::from) }
    }

    /// One JSON object.
    fn as_json(&self) -> Value {
        let held_out = self.held_out.map(Means::as_json);
        json!({"epoch": self.number, "learnt": self.learnt.as_json(), "held_out": held_out})
    }

    fn of_json(value: &Value) -> Option<Self> {
        let held_out = value.get("held_out").and_then(Means::of_json);
        let number = u32::try_from(value.get("epoch")?.as_u64()?).ok()?;
        Some(Self { number, learnt: Means::of_json(value.get("learnt")?)?, held_out })
    }
}

/// The epochs, a line each, and a line of the model.
pub(crate) fn lines(epochs: &[Epoch], model: &Value) -> String {
    let mut lines = String::new();
    for epoch in epochs {
        lines.push_str(&format!("{}\n", epoch.as_json()));
    }
    lines.push_str(&format!("{model}\n"));
    lines
}

/// The epochs among the lines that `train --json` printed; the last line, of the model, is none.
pub(crate) fn read(file: &str, text: &str) -> Result<Vec<Epoch>, Failure> {
    let mut epochs = Vec::new();
    for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
        let value: Value = serde_json::from_str(line).map_err(|error| {
            let message = format!("no JSON, as `train --json` prints it: {error}");
            Failure::line(file, number, Some(error.column() as u64), message)
        })?;
        epochs.extend(Epoch::of_json(&value));
    }
    if epochs.is_empty() {
        return Err(Failure::data(file, "no line is an epoch: give what `train --json` printed"));
    }
    Ok(epochs)
}

/// Loss and accuracy of each training by epoch. Of several trainings each curve has the training's name.
pub(crate) fn curves(trainings: &[(String, Vec<Epoch>)]) -> Curves {
    let chart = |title: &str, scale: Scale, number: fn(Means) -> f64| {
        let mut lines = Vec::new();
        for (name, epochs) in trainings {
            let mut line = |what: &str, of: &dyn Fn(&Epoch) -> Option<Means>| {
                let point = |epoch: &Epoch| Some((f64::from(epoch.number), number(of(epoch)?)));
                let points: Vec<(f64, f64)> = epochs.iter().filter_map(point).collect();
                let name = if trainings.len() > 1 { format!("{name}, {what}") } else { what.to_owned() };
                if !points.is_empty() {
                    lines.push(Line { name, points });
                }
            };
            line("learnt from", &|epoch| Some(epoch.learnt));
            line("held out", &|epoch| epoch.held_out);
        }
        let axes = [("epoch".to_owned(), Scale::Counts), (title.to_owned(), scale)];
        Chart { title: title.to_owned(), axes, lines }
    };
    let loss = chart("loss", Scale::Numbers, |means| means.loss);
    Curves { charts: vec![loss, chart("accuracy", Scale::Parts, |means| means.accuracy)] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs() -> Vec<Epoch> {
        let report = |loss, accuracy| Report { loss, accuracy, examples: 9 };
        let judged = |loss, accuracy| Some(Judged { report: report(loss, accuracy), macro_f1: 0.25 });
        vec![
            Epoch::new(1, report(0.5, 0.75), judged(0.625, 0.5)),
            Epoch::new(2, report(0.25, 1.0), judged(0.375, 0.75)),
        ]
    }

    #[test]
    fn what_is_printed_is_read() {
        let lines = lines(&epochs(), &json!({"model": "a", "epoch": 2}));
        assert_eq!((lines.lines().count(), read("f", &lines).expect("epochs")), (3, epochs()));
        let message = format!("{:?}", read("f", &format!("{lines}what\n")).expect_err("no JSON"));
        assert!(message.contains("f:4:1:"), "{message}");
        assert!(read("f", "{}\n").is_err() && read("f", "").is_err());
    }

    #[test]
    fn each_measure_has_a_chart() {
        let one = curves(&[("a".to_owned(), epochs())]);
        let [loss, accuracy] = one.charts.as_slice() else { panic!("{one:?}") };
        let points = |chart: &Chart| chart.lines.iter().map(|line| line.points.clone()).collect::<Vec<_>>();
        assert_eq!(points(loss), [[(1.0, 0.5), (2.0, 0.25)], [(1.0, 0.625), (2.0, 0.375)]]);
        assert_eq!(points(accuracy), [[(1.0, 0.75), (2.0, 1.0)], [(1.0, 0.5), (2.0, 0.75)]]);
        let mut alone = epochs();
        for epoch in &mut alone {
            epoch.held_out = None;
        }
        let two = curves(&[("a".to_owned(), epochs()), ("b".to_owned(), alone)]);
        let names: Vec<&str> = two.charts[0].lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["a, learnt from", "a, held out", "b, learnt from"]);
    }
}
