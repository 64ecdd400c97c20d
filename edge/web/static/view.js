/** Zoom and pan: pinch, wheel, double tap, drag, buttons, keys. */
import { now, part } from './page.js';
import { tap } from './tap.js';

const MOST = 12; // times the whole picture
const STEP = 1.6;
const DOUBLE_MS = 320;
const RAIL = 76; // pixels that the tools take

/** A sheet of natural size laid into a box, moved by what the fingers do. */
export class View {
  /** @param {HTMLElement} box @param {HTMLElement} sheet @param {HTMLElement} stage */
  constructor(box, sheet, stage) {
    this.box = box;
    this.sheet = sheet;
    this.stage = stage;
    this.width = 0;
    this.height = 0;
    this.top = 0;
    this.zoom = 1;
    this.x = 0;
    this.y = 0;
    /** @type {Map<number, {x: number, y: number}>} */
    this.fingers = new Map();
    this.tapped = { at: -1e9, x: 0, y: 0 };
    this.moved = 0;
    this.listen();
  }

  clear() {
    this.width = 0;
    this.fingers.clear();
  }

  /** @param {number} width @param {number} height @param {number} top pixels covered at the top */
  set(width, height, top) {
    this.width = width;
    this.height = height;
    this.top = top;
    this.side();
    this.whole();
  }

  /** The tools lie where the picture loses least. @private */
  side() {
    const { clientWidth: w, clientHeight: h } = this.stage;
    const fit = (/** @type {number} */ boxW, /** @type {number} */ boxH) => Math.min(boxW / this.width, boxH / this.height);
    const right = fit(w - RAIL, h - this.top) >= fit(w, h - this.top - RAIL);
    this.stage.dataset.tools = right ? 'right' : 'bottom';
  }

  /** The whole picture. */
  whole() {
    this.zoom = 1;
    this.place();
  }

  /** Pixels of the page for one of the picture. @private */
  scale() {
    const { clientWidth, clientHeight } = this.box;
    return this.zoom * Math.min(clientWidth / this.width, Math.max(1, clientHeight - this.top) / this.height);
  }

  /** Where the sheet lies: centred where it is smaller than the box, never beyond its edges. @private */
  place() {
    if (this.width === 0) return;
    const scale = this.scale();
    const [w, h] = [this.width * scale, this.height * scale];
    const [boxW, boxH] = [this.box.clientWidth, this.box.clientHeight - this.top];
    this.x = w <= boxW ? (boxW - w) / 2 : Math.min(0, Math.max(boxW - w, this.x));
    this.y = h <= boxH ? (boxH - h) / 2 : Math.min(0, Math.max(boxH - h, this.y));
    Object.assign(this.sheet.style, {
      width: `${w}px`, height: `${h}px`, transform: `translate(${this.x}px, ${this.y + this.top}px)`,
    });
    this.stage.toggleAttribute('data-zoomed', scale > 3);
  }

  /** Zoom so that what is under (x, y) of the box stays there. @param {number} factor @param {number} [x] @param {number} [y] */
  by(factor, x = this.box.clientWidth / 2, y = this.box.clientHeight / 2) {
    if (this.width === 0) return;
    const before = this.scale();
    this.zoom = Math.min(MOST, Math.max(1, this.zoom * factor));
    const ratio = this.scale() / before;
    this.x = x - (x - this.x) * ratio;
    this.y = (y - this.top) - (y - this.top - this.y) * ratio;
    this.place();
  }

  larger() { this.by(STEP); }

  smaller() { this.by(1 / STEP); }

  /** @private */
  listen() {
    this.box.addEventListener('wheel', (event) => {
      event.preventDefault();
      const [x, y] = this.inside(event);
      this.by(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0018)), x, y);
    }, { passive: false });
    this.box.addEventListener('pointerdown', (event) => this.down(event));
    this.box.addEventListener('pointermove', (event) => this.move(event));
    for (const name of ['pointerup', 'pointercancel']) {
      this.box.addEventListener(name, (event) => this.up(/** @type {PointerEvent} */ (event)));
    }
    new ResizeObserver(() => { if (this.width > 0) { this.side(); this.place(); } }).observe(this.stage);
    tap(part('zoom-in'), () => this.larger());
    tap(part('zoom-out'), () => this.smaller());
    tap(part('zoom-fit'), () => this.whole());
  }

  /** @private @param {MouseEvent} event @returns {[number, number]} */
  inside(event) {
    const box = this.box.getBoundingClientRect();
    return [event.clientX - box.x, event.clientY - box.y];
  }

  /** @private @param {PointerEvent} event */
  down(event) {
    const [x, y] = this.inside(event);
    if (event.isPrimary) this.fingers.clear();
    this.fingers.set(event.pointerId, { x, y });
    this.box.setPointerCapture(event.pointerId);
    this.moved = this.fingers.size > 1 ? 1e3 : 0;
    this.box.classList.add('dragging');
  }

  /** @private @param {PointerEvent} event */
  move(event) {
    const last = this.fingers.get(event.pointerId);
    if (!last) return;
    const [x, y] = this.inside(event);
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const span = (/** @type {{x: number, y: number}} */ p) => Math.hypot(p.x - other.x, p.y - other.y);
      this.x += (x - last.x) / 2;
      this.y += (y - last.y) / 2;
      this.by(Math.max(1, span({ x, y })) / Math.max(1, span(last)), (x + other.x) / 2, (y + other.y) / 2);
    } else {
      this.moved += Math.hypot(x - last.x, y - last.y);
      this.x += x - last.x;
      this.y += y - last.y;
      this.place();
    }
    this.fingers.set(event.pointerId, { x, y });
  }

  /** @private @param {PointerEvent} event */
  up(event) {
    const [x, y] = this.inside(event);
    if (!this.fingers.delete(event.pointerId)) return;
    if (this.fingers.size === 0) this.box.classList.remove('dragging');
    if (event.type === 'pointercancel' || this.moved > 12) return;
    const again = now() - this.tapped.at < DOUBLE_MS && Math.hypot(x - this.tapped.x, y - this.tapped.y) < 40;
    this.tapped = { at: again ? -1e9 : now(), x, y };
    if (again && this.zoom > 1.05) this.whole();
    else if (again) this.by(3, x, y);
  }
}
