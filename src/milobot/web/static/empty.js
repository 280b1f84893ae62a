// What stands in a chart that has nothing to draw: a sentence instead of an empty grid.

import { element, setText } from "./dom.js";

export class EmptyNote {
  constructor(container) {
    this.node = element("p", "chart-empty");
    this.node.hidden = true;
    container.append(this.node);
  }

  /** Show `text` while there is nothing else, `count` being how much there is. */
  show(text, count) {
    this.node.hidden = count > 0;
    setText(this.node, text ?? "Nothing to draw yet.");
  }
}
