//! Charts as SVG, drawn on the server: shapes here, words and numbers around them in HTML.
//!
//! The drawing stretches to the width it is given; lines keep their strength (`non-scaling-stroke` in the style
//! sheet). Colours and dashes are classes. Where nothing was measured, the drawing has a gap.

use std::fmt::Write as _;

pub const WIDTH: f64 = 720.0;
pub const HEIGHT: f64 = 180.0;

pub struct Series<'a> {
    pub class: &'a str,
    pub values: Vec<Option<f64>>,
}

/// The smallest round number that is not below any of these: 1, 2 or 5 times a power of ten.
pub fn ceiling(values: impl Iterator<Item = f64>) -> f64 {
    let most = values.fold(0.0_f64, f64::max);
    if most <= 0.0 {
        return 1.0;
    }
    let power = 10.0_f64.powf(most.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| power * step >= most * 0.999).unwrap_or(10.0);
    power * step
}

pub fn lines(series: &[Series], top: f64) -> String {
    let mut svg = String::new();
    for Series { class, values } in series {
        let mut path = String::new();
        let mut drawing = false;
        for (place, value) in values.iter().enumerate() {
            if let Some(value) = value {
                let command = if drawing { 'L' } else { 'M' };
                to(&mut path, command, x(place, values.len()), y(*value, top));
                // A single point has no length.
                if !drawing && !matches!(values.get(place + 1), Some(Some(_))) {
                    path.push_str("h2");
                }
            }
            drawing = value.is_some();
        }
        let _ = write!(svg, r#"<path class="line {class}" d="{path}"/>"#);
    }
    svg
}

/// The first series is at the bottom.
pub fn stack(series: &[Series], top: f64) -> String {
    let count = series.first().map_or(0, |series| series.values.len());
    let mut below = vec![0.0; count];
    let mut svg = String::new();
    // A series of zeros would be a layer without height.
    let seen = series.iter().filter(|series| series.values.iter().flatten().any(|value| *value > 0.0));
    for Series { class, values } in seen {
        let over: Vec<Option<f64>> =
            values.iter().zip(&below).map(|(value, below)| value.map(|value| below + value)).collect();
        let _ = write!(svg, r#"<path class="layer {class}" d="{}"/>"#, area(&over, &below, top));
        for (below, over) in below.iter_mut().zip(over) {
            *below = over.unwrap_or(*below);
        }
    }
    svg
}

/// The area between two lines, split at gaps.
fn area(over: &[Option<f64>], below: &[f64], top: f64) -> String {
    let mut path = String::new();
    let mut from = 0;
    while from < over.len() {
        if over[from].is_none() {
            from += 1;
            continue;
        }
        let until = over[from..].iter().position(Option::is_none).map_or(over.len(), |gap| from + gap);
        for (place, value) in over.iter().enumerate().take(until).skip(from) {
            let command = if place == from { 'M' } else { 'L' };
            to(&mut path, command, x(place, over.len()), y(value.unwrap_or(0.0), top));
        }
        // The last step has a width of its own.
        let _ = write!(path, "h{:.1}", step(over.len()));
        let _ = write!(path, "V{:.1}", y(below[until - 1], top));
        for place in (from..until).rev() {
            to(&mut path, 'L', x(place, over.len()), y(below[place], top));
        }
        path.push('Z');
        from = until;
    }
    path
}

pub fn level(class: &str, value: f64, top: f64) -> String {
    if value > top {
        return String::new();
    }
    format!(r#"<path class="line {class}" d="M0 {:.1}H{WIDTH}"/>"#, y(value, top))
}

/// A line from top to bottom at this share of the width.
pub fn mark(class: &str, share: f64) -> String {
    format!(r#"<path class="line {class}" d="M{:.1} 0V{HEIGHT}"/>"#, share * WIDTH)
}

pub fn grid() -> String {
    let lines = [0.0, 0.25, 0.5, 0.75].map(|share| format!("M0 {:.1}H{WIDTH}", HEIGHT * share));
    format!(r#"<path class="grid" d="{}"/>"#, lines.concat())
}

pub fn spark(values: &[Option<f64>]) -> String {
    let top = values.iter().flatten().fold(0.0_f64, |most, value| most.max(*value)).max(f64::MIN_POSITIVE);
    let drawn = lines(&[Series { class: "spark", values: values.to_vec() }], top * 1.05);
    format!(
        r#"<svg class="sparkline" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true" focusable="false">{drawn}</svg>"#
    )
}

/// One decimal a coordinate. By hand, as thousands are written, and `{:.1}` is slow.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 720")]
fn to(path: &mut String, command: char, x: f64, y: f64) {
    let [x, y] = [x, y].map(|coordinate| (coordinate * 10.0).round() as u16);
    let _ = write!(path, "{command}{}.{} {}.{}", x / 10, x % 10, y / 10, y % 10);
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred steps")]
fn x(place: usize, count: usize) -> f64 {
    place as f64 * step(count)
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred steps")]
fn step(count: usize) -> f64 {
    WIDTH / count.max(1) as f64
}

fn y(value: f64, top: f64) -> f64 {
    HEIGHT - (value / top).clamp(0.0, 1.0) * HEIGHT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceilings_are_round() {
        let ceilings = [0.0, 3.2, 20.0, 0.041].map(|value| ceiling([value].into_iter()).to_string());
        assert_eq!(ceilings, ["1", "5", "20", "0.05"]);
    }

    #[test]
    fn gaps_are_gaps() {
        let values = vec![Some(1.0), Some(2.0), None, Some(1.0)];
        let drawn = lines(&[Series { class: "p50", values: values.clone() }], 2.0);
        assert_eq!(drawn.matches('M').count(), 2, "{drawn}");
        let drawn = stack(&[Series { class: "ok", values }], 2.0);
        assert_eq!(drawn.matches('Z').count(), 2, "{drawn}");
    }

    #[test]
    fn a_layer_stands_on_those_below_it() {
        let [one, none, other] = [1.0, 0.0, 2.0].map(|value| vec![Some(value); 3]);
        let series = [("ok", one), ("refused", none), ("failed", other)];
        let series = series.map(|(class, values)| Series { class, values });
        let drawn = stack(&series, 4.0);
        assert!(drawn.contains(r#"class="layer failed" d="M0.0 45.0L240.0 45.0"#), "{drawn}");
        assert!(drawn.contains("V135.0L480.0 135.0") && !drawn.contains("refused"), "{drawn}");
    }
}
