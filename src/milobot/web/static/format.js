// Numbers and times as text. Money arrives as decimal text and is never made a float to be shown.

const MINUS = "\u2212";

/** Write UTC milliseconds as 2024-01-31 13:05, with seconds only where there are any. */
export function time(ms) {
  const text = new Date(ms).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, ms % 60000 ? 19 : 16)}`;
}

/** Write the time of day, 13:05:09. */
export function timeOfDay(ms) {
  return new Date(ms).toISOString().slice(11, 19);
}

/** Round decimal text to at most `digits` places, half away from zero, and group thousands. */
export function decimal(text, digits = 8, { sign = false, fixed = false } = {}) {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(String(text));
  if (!match) {
    return String(text);
  }
  const [, minus, whole, fraction = ""] = match;
  const kept = fraction.slice(0, digits).padEnd(digits, "0");
  const up = fraction.length > digits && fraction[digits] >= "5" ? 1n : 0n;
  const scaled = (BigInt(whole + kept) + up).toString().padStart(digits + 1, "0");
  const cut = scaled.length - digits;
  let places = scaled.slice(cut);
  if (!fixed) {
    places = places.replace(/0+$/, "");
  }
  const grouped = scaled.slice(0, cut).replace(/\B(?=(\d{3})+$)/g, ",");
  const isZero = /^0*$/.test(scaled);
  const before = minus && !isZero ? MINUS : sign && !isZero ? "+" : "";
  return before + grouped + (places ? `.${places}` : "");
}

/** Write a price given as text, with at least `places` digits, at most 8. */
export function price(text, places) {
  const own = (String(text).split(".")[1] ?? "").length;
  // An average entry has more digits than any price; more than two beyond the grid say nothing.
  return decimal(text, Math.max(places, Math.min(own, places + 2, 8)), { fixed: own <= places });
}

/** Write a plotted number with a fixed number of places. */
export function number(value, digits) {
  return Number.isFinite(value) ? decimal(value.toFixed(digits), digits, { fixed: true }) : "\u2013";
}

/** Write a large or small number short: 1.24M, 0.00312. */
export function short(value) {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) {
    return "\u2013";
  }
  for (const [unit, letter] of [[1e9, "B"], [1e6, "M"], [1e4, "K"]]) {
    if (size >= unit) {
      return number(value / (unit === 1e4 ? 1e3 : unit), 2) + letter;
    }
  }
  return number(value, size >= 100 ? 2 : size >= 1 ? 3 : 6);
}

/** Return how many decimal places the prices of these candles use, at most 8. */
export function pricePlaces(candles) {
  let places = 0;
  for (const candle of candles.slice(-200)) {
    for (const price of candle.slice(1, 5)) {
      const [, exponent] = price.toExponential().split("e");
      const digits = (price.toPrecision(12).replace(/0+$/, "").split(".")[1] || "").split("e")[0];
      places = Math.max(places, Number(exponent) < -6 ? 8 : digits.length);
    }
  }
  return Math.min(places, 8);
}

/** Return "gain", "loss" or "" for the sign of decimal text. */
export function tone(text) {
  const value = Number(text);
  return value > 0 ? "gain" : value < 0 ? "loss" : "";
}
