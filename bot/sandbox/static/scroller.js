/** Keeps a list of posts at its end while the reader is there, and in place while they are not. */

const NEAR = 80; // pixels from the end that still count as being there

export class Scroller {
  /** @param onAway told true when the reader left the end, false when they came back. */
  constructor(node, content, onAway = () => {}) {
    Object.assign(this, { node, atEnd: true });
    node.addEventListener("scroll", () => {
      this.atEnd = node.scrollHeight - node.scrollTop - node.clientHeight < NEAR;
      onAway(!this.atEnd);
    });
    // Pictures and folded text change the height later than the list itself does.
    const follow = new ResizeObserver(() => this.atEnd && this.toEnd());
    follow.observe(content);
    follow.observe(node);
  }

  toEnd() {
    this.atEnd = true;
    this.node.scrollTop = this.node.scrollHeight;
  }
}
