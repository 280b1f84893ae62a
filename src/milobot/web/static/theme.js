// Colours for the canvases, read from the style sheet so that they stand in one place.

const NAMES = [
  "bg", "panel", "grid", "text", "muted", "up", "down", "up-soft", "down-soft", "accent",
  "signal", "zigzag", "entry", "stop", "target", "liquidation",
  "line-1", "line-2", "line-3", "line-4", "line-5", "line-6",
];

/** Return the colours of the current scheme by name. */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** Call `change` when the reader switches between dark and light. */
export function onThemeChange(change) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", change);
}

/** Options that every chart shares. */
export function chartOptions(theme) {
  return {
    layout: {
      background: { type: "solid", color: theme.panel },
      textColor: theme.muted,
      fontFamily: getComputedStyle(document.body).fontFamily,
      fontSize: 11,
      attributionLogo: false, // notice and link stand at the foot of the page
      panes: { separatorColor: theme.grid, separatorHoverColor: theme.grid, enableResize: true },
    },
    grid: { vertLines: { color: theme.grid }, horzLines: { color: theme.grid } },
    rightPriceScale: { borderColor: theme.grid },
    timeScale: { borderColor: theme.grid, timeVisible: true, secondsVisible: false },
    crosshair: {
      mode: 0,
      vertLine: { color: theme.muted, labelBackgroundColor: theme.accent },
      horzLine: { color: theme.muted, labelBackgroundColor: theme.accent },
    },
    autoSize: true,
  };
}
