//! A chart of how figures grow with the library: both axes in powers of ten, as SVG.

use std::fmt::Write as _;

/// A panel for each engine, side by side.
const LEFT: [f64; 2] = [60.0, 350.0];
const WIDTH: f64 = 215.0;
const TOP: f64 = 36.0;
const BOTTOM: f64 = 396.0;
const LEGEND: f64 = 590.0;
const COLOURS: [&str; 8] =
    ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#17becf", "#7f7f7f"];

#[derive(Default)]
pub struct Chart(Vec<Line>);

/// One figure of an engine at each size, in milliseconds.
struct Line {
    engine: String,
    what: String,
    points: Vec<(f64, f64)>,
}

impl Chart {
    /// Times only; other figures are left to the table.
    pub fn add(&mut self, engine: &str, what: &str, unit: &str, size: u64, value: f64) {
        let millis = match unit {
            "ms" => value,
            "us" => value / 1e3,
            _ => return,
        };
        #[expect(clippy::cast_precision_loss, reason = "a few million at most")]
        let point = (size as f64, millis);
        match self.0.iter_mut().find(|line| line.engine == engine && line.what == what) {
            Some(line) => line.points.push(point),
            None => {
                self.0.push(Line { engine: engine.to_owned(), what: what.to_owned(), points: vec![point] });
            }
        }
    }

    pub fn svg(&self) -> String {
        let mut svg =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 420\" font-family=\"sans-serif\" \
             font-size=\"10\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
                .to_owned();
        let points = || self.0.iter().flat_map(|line| &line.points);
        let scale =
            Scale { across: range(points().map(|point| point.0)), up: range(points().map(|point| point.1)) };
        let (engines, figures) =
            (distinct(&self.0, |line| &line.engine), distinct(&self.0, |line| &line.what));
        for (engine, left) in engines.iter().zip(LEFT) {
            scale.grid(&mut svg, engine, left);
            for line in self.0.iter().filter(|line| line.engine == **engine) {
                let number = figures.iter().position(|what| **what == line.what).unwrap_or_default();
                let place = |(size, millis): &(f64, f64)| {
                    format!("{:.1},{:.1}", left + scale.x(*size), scale.y(*millis))
                };
                let path: Vec<String> = line.points.iter().map(place).collect();
                let _ = writeln!(
                    svg,
                    "<polyline points=\"{}\" fill=\"none\" {}/>",
                    path.join(" "),
                    style(number)
                );
            }
        }
        for (number, what) in figures.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "few")]
            let at = TOP + 14.0 * number as f64;
            let _ = writeln!(
                svg,
                "<path d=\"M{LEGEND} {at}h16\" {}/><text x=\"{}\" y=\"{}\">{what}</text>",
                style(number),
                LEGEND + 22.0,
                at + 3.0
            );
        }
        svg + "</svg>\n"
    }
}

/// In the order of their first line.
fn distinct(lines: &[Line], name: impl Fn(&Line) -> &String) -> Vec<&String> {
    let mut names: Vec<&String> = Vec::new();
    for line in lines {
        let name = name(line);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn style(number: usize) -> String {
    let dash = if number / COLOURS.len() % 2 == 1 { " stroke-dasharray=\"6 4\"" } else { "" };
    format!("stroke=\"{}\"{dash}", COLOURS[number % COLOURS.len()])
}

/// From the lowest to the highest power of ten of each axis.
struct Scale {
    across: (f64, f64),
    up: (f64, f64),
}

impl Scale {
    fn x(&self, size: f64) -> f64 {
        (size.log10() - self.across.0) / (self.across.1 - self.across.0) * WIDTH
    }

    fn y(&self, millis: f64) -> f64 {
        BOTTOM - (millis.log10() - self.up.0) / (self.up.1 - self.up.0) * (BOTTOM - TOP)
    }

    fn grid(&self, svg: &mut String, engine: &str, left: f64) {
        let right = left + WIDTH;
        let _ = writeln!(svg, "<text x=\"{left}\" y=\"22\" font-size=\"13\">{engine}</text>");
        for power in powers(self.across) {
            let (at, below) = (left + self.x(power), BOTTOM + 14.0);
            let _ = writeln!(
                svg,
                "<path d=\"M{at:.1} {TOP}V{BOTTOM}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{power}</text>"
            );
        }
        for power in powers(self.up) {
            let (at, beside) = (self.y(power), left - 4.0);
            let _ = writeln!(
                svg,
                "<path d=\"M{left} {at:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{beside}\" y=\"{:.1}\" text-anchor=\"end\">{power} ms</text>",
                at + 3.0
            );
        }
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
