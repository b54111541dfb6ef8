//! Nothing fails in silence: in the modules that train, no result is dropped. What computes by integers
//! passes no float on.
//!
//! These forms drop one: `let _ = f(..)` and `_ = f(..)`, `.ok()`, and the family of `unwrap_or`. A `None` is
//! answered where it is seen, by `let .. else`, `if let` or `?`. `let _ = name` says that a parameter is not
//! used; it calls nothing and drops nothing. `let _: u64 = ..` says that its value is a number.

use crate::sources::{File, Token, files, sources, tokens};

/// The modules that are held.
const HELD: [&str; 4] = ["layers", "optim", "passes", "train"];

/// Places that are let through, as `file: what`. There are none.
const ALLOWED: [&str; 0] = [];

/// What computes by integers alone.
const OF_INTEGERS: [&str; 3] = ["layers/integer", "layers/scores", "passes/integers"];

/// The functions that take or give a float, as `file:line`: if one is not inlined, the float passes through a
/// register for floats, which a program of integers must not touch.
fn passing_floats(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for (module, source) in files {
        let file = module.join("/");
        if !OF_INTEGERS.iter().any(|module| file.starts_with(module)) {
            continue;
        }
        let tokens = tokens(source);
        for (place, token) in tokens.iter().enumerate().filter(|(_, token)| token.text == "fn") {
            let mut head =
                tokens[place..].iter().take_while(|token| !matches!(token.text.as_str(), "{" | ";"));
            if head.any(|token| matches!(token.text.as_str(), "f32" | "f64")) {
                found.push(format!("{file}:{}", token.line));
            }
        }
    }
    found
}

/// Each place that drops a result: file, line and how.
fn dropped(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for (module, source) in files {
        if module.first().is_some_and(|module| HELD.contains(&module.as_str())) {
            let file = module.join("/");
            let places = dropped_in(&tokens(source));
            found.extend(places.into_iter().map(|(line, how)| format!("{file}:{line}: {how}")));
        }
    }
    found
}

fn dropped_in(tokens: &[Token]) -> Vec<(usize, &'static str)> {
    let text = |place: usize| tokens.get(place).map_or("", |token| token.text.as_str());
    let is = |place: usize, texts: &[&str]| texts.iter().enumerate().all(|(i, t)| text(place + i) == *t);
    let mut found = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        let before = |back: usize| place.checked_sub(back).map_or("", text);
        let how = match token.text.as_str() {
            "_" if before(1) == "let" && names_parameters(tokens, place) => continue,
            // A pattern of a match is `_ =>`, and a type may end with `_`.
            "_" if matches!(before(1), "let" | ";" | "{" | "}")
                && is(place + 1, &["="])
                && !matches!(text(place + 2), ">" | "=") =>
            {
                "let _ ="
            }
            // The type is written: a number is no result.
            "_" if before(1) == "let" && is(place + 1, &[":", "u64", "="]) => continue,
            "_" if before(1) == "let" && is(place + 1, &[":"]) => "let _ =",
            "ok" if before(1) == "." && is(place + 1, &["(", ")"]) => ".ok()",
            "ok" if before(1) == "::" && before(2) == "Result" => ".ok()",
            "unwrap_or" => "unwrap_or",
            "unwrap_or_default" => "unwrap_or_default",
            "unwrap_or_else" => "unwrap_or_else",
            _ => continue,
        };
        found.push((token.line, how));
    }
    found
}

/// Whether what follows the `_` at `place` is a type or none, `=`, and nothing but parameters of the function that
/// it is in.
fn names_parameters(tokens: &[Token], place: usize) -> bool {
    let (before, after) = tokens.split_at(place + 1);
    let function = before.iter().rposition(|token| token.text == "fn").unwrap_or(0);
    let head: Vec<_> = before[function..].iter().take_while(|token| token.text != "{").collect();
    let is_parameter = |name: &str| head.windows(2).any(|pair| pair[0].text == name && pair[1].text == ":");
    let statement = after.iter().map(|token| token.text.as_str()).take_while(|text| *text != ";");
    let mut value = statement.skip_while(|text| *text != "=").skip(1).peekable();
    value.peek().is_some() && value.all(|text| matches!(text, "(" | ")" | "," | "&") || is_parameter(text))
}

#[test]
fn no_function_of_integers_passes_a_float() {
    assert_eq!(passing_floats(&sources()), Vec::<String>::new());
    let one = "fn f(x: u32) {}\nfn g(\n x: f32) { h() }";
    let found = passing_floats(&files(&[("layers/integer/dense", one), ("layers/dense", one)]));
    assert_eq!(found, ["layers/integer/dense:2"]);
    assert_eq!(passing_floats(&files(&[("layers/scores", "fn f() -> f64 { 0.0 }")])), ["layers/scores:1"]);
}

#[test]
fn no_result_is_dropped() {
    let found: Vec<String> =
        dropped(&sources()).into_iter().filter(|place| !ALLOWED.contains(&place.as_str())).collect();
    assert!(found.is_empty(), "{} places drop a result:\n{}", found.len(), found.join("\n"));
}

#[test]
fn each_way_to_drop_a_result_is_found() {
    for (text, how) in [
        ("fn f() { let _ = g(); }", "let _ ="),
        ("fn f() {\n let _ =\n optimizer.update(x); }", "let _ ="),
        ("fn f() { let _: Result<(), E> = g(); }", "let _ ="),
        ("fn f(x: T) { let _: Result<(), E> = g(x); }", "let _ ="),
        ("fn f() { _ = g(); }", "let _ ="),
        ("fn f() { let found = g(); let _ = found; }", "let _ ="),
        ("fn f(x: T) { let _ = (x, g(x)); }", "let _ ="),
        ("fn f(x: T) { let _ = x.g; }", "let _ ="),
        ("macro_rules! m { ($f:expr) => { fn f(x: T) { let _ = $f; } } }", "let _ ="),
        ("fn f() -> Option<T> { g().ok() }", ".ok()"),
        ("fn f() -> Option<T> { g()\n.ok()? }", ".ok()"),
        ("fn f() { x.into_iter().flat_map(Result::ok) }", ".ok()"),
        ("fn f() { g().unwrap_or(0) }", "unwrap_or"),
        ("fn f() { g().unwrap_or_default() }", "unwrap_or_default"),
        ("fn f() { g().unwrap_or_else(|_| 0) }", "unwrap_or_else"),
        ("fn f() { g().map_or_else(Result::unwrap_or_default, h) }", "unwrap_or_default"),
        ("#[cfg(test)]\nmod tests { fn f() {} }\nfn f() { g().unwrap_or(0) }", "unwrap_or"),
        ("const A: &str = \"\\\"{\";\nfn f() { g().unwrap_or(0) }", "unwrap_or"),
    ] {
        for module in ["layers/dense", "optim", "train/trainer"] {
            let found = dropped(&files(&[(module, text)]));
            assert!(found.len() == 1 && found[0].ends_with(&format!(": {how}")), "{text}: {found:?}");
        }
    }
    let found = dropped(&files(&[("layers/dense", "\n// one\nfn f() {\n    /* a\n b */ let _ = g();\n}")]));
    assert_eq!(found, ["layers/dense:5: let _ ="]);
}

#[test]
fn what_drops_no_result_is_let_through() {
    for text in [
        "fn f(inputs: &[T], n: usize) { let _ = (inputs, n); }",
        "fn f(part: &mut T) { let _ = &part; }",
        "fn f(inputs: &[T]) { let _: &[_] = inputs; }",
        "fn f(inputs: &mut T) { let _: &mut _ = inputs; }",
        "fn f(x: &[T], o: &O) { let _: (&[_], &O) = (x, o); }",
        "fn f() { let _: u64 = const { Self::FINGERPRINT.value() }; }",
        "fn f(x: T) -> T { match x { _ => y } }",
        "fn f() { let Some(row) = rows.get(3) else { return }; if let Some(x) = row.get(1) { g(x)?; } }",
        "fn f() -> bool { ok() && self.ok == _x }",
        "/// let _ = Dense::<0, 1>::zeroed();\n// g().unwrap_or(0)\nfn f() {}",
        "const TEXT: &str = \"let _ = g().ok();\";",
        "#[cfg(test)]\nmod tests { fn f() { let _ = g().ok(); } }",
        "fn f() { g().map_err(E::from)?; }",
    ] {
        assert_eq!(dropped(&files(&[("layers/dense", text)])), Vec::<String>::new(), "{text}");
    }
    // Other modules are not held.
    assert_eq!(dropped(&files(&[("text/words", "fn f() { g().unwrap_or(0) }")])), Vec::<String>::new());
}
