// The page's copy of the model, and how a delta changes it.
// The same rules as in milobot/web/deltas.py; a browser test holds the two together.

const STUDY_KEYS = ["overlays", "panes"];

/** Bring `model` to `delta.revision`, in place. Return false when the delta does not fit. */
export function applyDelta(model, delta) {
  if (delta.base !== model.revision) {
    return false;
  }
  for (const [key, value] of Object.entries(delta.replace)) {
    model[key] = value;
  }
  for (const [key, items] of Object.entries(delta.append)) {
    append(model[key], key, items);
  }
  for (const [key, count] of Object.entries(delta.trim)) {
    trim(model[key], key, count);
  }
  model.revision = delta.revision;
  return true;
}

function append(target, key, items) {
  if (STUDY_KEYS.includes(key)) {
    appendValues(target, items);
    return;
  }
  if (key === "zigzag") {
    while (target.length && !target.at(-1).confirmed) {
      target.pop();
    }
  }
  for (const item of items) {
    target.push(item);
  }
}

function appendValues(studies, items) {
  const known = new Map(studies.map((study) => [study.id, study]));
  for (const item of items) {
    const lines = known.get(item.id).lines;
    item.lines.forEach((more, at) => {
      for (const value of more.values) {
        lines[at].values.push(value);
      }
    });
  }
}

function trim(target, key, count) {
  if (!STUDY_KEYS.includes(key)) {
    target.splice(0, count);
    return;
  }
  for (const study of target) {
    for (const line of study.lines) {
      line.values.splice(0, count);
    }
  }
}
