//! Keras' `Embedding`: rows by ids, negative ids from the end; the mask; the gradient of the table.

use crate::fixture::{Array, FORWARD, Fixture, GRADIENT, assert_close, list};
use crate::run_time::AtRunTime;
use nanoembed::kernels::{gather, scatter_add};
use nanoembed::models::{Input, LayerKind, Record, Source};
use nanoembed::table::{Indices, Table, TableMut};

pub(crate) fn forward_and_gradient(fixture: &Fixture) {
    let cases = list(&fixture.0["cases"]);
    assert!(!cases.is_empty(), "the fixture has cases");
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let ids = Array::integers(&case["indices"]);
        let embeddings = Array::read(&case["embeddings"]);
        let [rows, dim] = embeddings.shape[..] else { panic!("{name}: a table is rows x dim") };
        let table = Table::new(&embeddings.data, rows, dim).expect("a full table");
        let indices = Indices::from_end(&ids, rows).expect("ids of the table");

        let mut output = vec![0.0; ids.len() * dim];
        gather(table, indices, &mut output).expect("shapes fit");
        let (absolute, relative) = FORWARD;
        assert_close(name, &output, &Array::read(&case["output"]).data, absolute, relative);

        // Keras compares the id as it was given with 0: −rows, which names row 0 too, is not masked.
        let mask_zero = case["mask_zero"].as_bool().expect("true or false");
        assert_eq!(mask_zero, !case["mask"].is_null(), "{name}: a mask if asked for");
        if mask_zero {
            let mask: Vec<i64> = ids.iter().map(|&id| i64::from(id != 0)).collect();
            assert_eq!(mask, Array::integers(&case["mask"]), "{name}: mask");
        }

        let cotangent = Array::read(&case["cotangent"]).data;
        let served: Vec<u32> = ids.iter().map(|id| id.rem_euclid(rows as i64) as u32).collect();
        let layer = Record::new(LayerKind::Embedding, &[ids.len(), rows, dim]);
        let model = AtRunTime {
            records: vec![
                layer.options([u16::from(mask_zero), 0, 0]).from(Source::Input(0)),
                // Every step counts, masked or not.
                Record::new(LayerKind::Flatten, &[ids.len(), dim]).options([0, 0, 1]),
            ],
            parameters: embeddings.data.clone(),
        };
        let close = |part: &str, found: &[f32], expected: &str, (absolute, relative): (f32, f32)| {
            let what = format!("at run time, {name}: {part}");
            assert_close(&what, found, &Array::read(&case[expected]).data, absolute, relative);
        };
        close("output", &model.outputs(Input::Ids(&served), 1), "output", FORWARD);
        let gradients = model.gradients(Input::Ids(&served), 1, &cotangent);
        close("gradient", &gradients, "grad_embeddings", GRADIENT);

        let mut gradient = vec![0.0; rows * dim];
        let mut to = TableMut::new(&mut gradient, rows, dim).expect("a full table");
        scatter_add(&cotangent, indices, &mut to).expect("shapes fit");
        let (absolute, relative) = GRADIENT;
        assert_close(name, &gradient, &Array::read(&case["grad_embeddings"]).data, absolute, relative);
    }
}
