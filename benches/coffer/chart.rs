//! A chart of how figures grow with the library: both axes in powers of ten, as SVG.

use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
/// Where the plot begins and ends.
const LEFT: f64 = 60.0;
const RIGHT: f64 = 430.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 380.0;
const COLOURS: [&str; 8] =
    ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#17becf", "#7f7f7f"];

#[derive(Default)]
pub struct Chart(Vec<Line>);

/// One figure at each size, in milliseconds.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

impl Chart {
    /// Times only; other figures are left to the table.
    pub fn add(&mut self, name: &str, unit: &str, size: u64, value: f64) {
        let millis = match unit {
            "ms" => value,
            "us" => value / 1e3,
            _ => return,
        };
        #[expect(clippy::cast_precision_loss, reason = "a few million at most")]
        let point = (size as f64, millis);
        match self.0.iter_mut().find(|line| line.name == name) {
            Some(line) => line.points.push(point),
            None => self.0.push(Line { name: name.to_owned(), points: vec![point] }),
        }
    }

    pub fn svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"10\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
        );
        let points = || self.0.iter().flat_map(|line| &line.points);
        let across = range(points().map(|point| point.0));
        let up = range(points().map(|point| point.1));
        let x = |size: f64| LEFT + (size.log10() - across.0) / (across.1 - across.0) * (RIGHT - LEFT);
        let y = |millis: f64| BOTTOM - (millis.log10() - up.0) / (up.1 - up.0) * (BOTTOM - TOP);
        for power in powers(across) {
            let at = x(power);
            let _ = writeln!(
                svg,
                "<path d=\"M{at:.1} {TOP}V{BOTTOM}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{power}</text>",
                BOTTOM + 14.0
            );
        }
        for power in powers(up) {
            let at = y(power);
            let _ = writeln!(
                svg,
                "<path d=\"M{LEFT} {at:.1}H{RIGHT}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{power} ms</text>",
                LEFT - 4.0,
                at + 3.0
            );
        }
        for (number, Line { name, points }) in self.0.iter().enumerate() {
            let colour = COLOURS[number % COLOURS.len()];
            let dash = if number / COLOURS.len() % 2 == 1 { " stroke-dasharray=\"4 2\"" } else { "" };
            let path: Vec<String> =
                points.iter().map(|(size, millis)| format!("{:.1},{:.1}", x(*size), y(*millis))).collect();
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\"{dash}/>",
                path.join(" ")
            );
            #[expect(clippy::cast_precision_loss, reason = "few")]
            let at = TOP + 12.0 * number as f64;
            let from = RIGHT + 20.0;
            let _ = writeln!(
                svg,
                "<path d=\"M{from} {at}h16\" stroke=\"{colour}\"{dash}/><text x=\"{}\" y=\"{}\">{name}</text>",
                from + 22.0,
                at + 3.0
            );
        }
        svg + "</svg>\n"
    }
}

/// The powers of ten around all values, as logarithms.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let logs: Vec<f64> = values.filter(|value| *value > 0.0).map(f64::log10).collect();
    let (low, high) =
        logs.iter().fold((f64::MAX, f64::MIN), |(low, high), log| (low.min(*log), high.max(*log)));
    if logs.is_empty() { (0.0, 1.0) } else { (low.floor(), high.ceil().max(low.floor() + 1.0)) }
}

fn powers((low, high): (f64, f64)) -> impl Iterator<Item = f64> {
    #[expect(clippy::cast_possible_truncation, reason = "a few powers of ten")]
    let (low, high) = (low as i32, high as i32);
    (low..=high).map(|power| 10_f64.powi(power))
}
