// Building elements. Text only ever becomes a text node, never markup.

/** Return a new element with a class, text and children. */
export function element(tag, className = "", text = null, children = []) {
  const node = document.createElement(tag);
  if (className) {
    node.className = className;
  }
  if (text !== null) {
    node.textContent = text;
  }
  node.append(...children);
  return node;
}

/** Set an element's text, touching the page only when it changes. */
export function setText(node, text) {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

export const byId = (id) => document.getElementById(id);
