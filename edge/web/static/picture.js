/** The picture of the part: drawn whole before anything may be answered, then zoomed and moved. */
import { part, setup } from './page.js';
import { View } from './view.js';

/** @returns {Promise<void>} after two frames have been painted; never in a page that is hidden */
const painted = () => new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(() => done()));
});

/** The picture on the stage. At most one at a time; the last one asked for wins. */
export class Picture {
  constructor() {
    /** @type {HTMLElement} */
    this.stage = part('stage');
    /** @type {HTMLImageElement} */
    this.image = part('picture');
    this.view = new View(part('view'), part('canvas'), this.stage);
    this.turn = 0;
  }

  /** Nothing but words on the stage: nothing, taken, drawing, offline, broken, no-picture, picture.
   * @param {string} what */
  shows(what) {
    this.stage.dataset.shows = what;
    this.stage.toggleAttribute('data-picture', what === 'picture');
  }

  /** Take away what is there. @param {string} what the stage shows instead */
  clear(what) {
    this.turn += 1;
    this.image.hidden = true;
    this.image.removeAttribute('src');
    part('roi').hidden = true;
    this.view.clear();
    this.shows(what);
  }

  /** Whether this picture has been painted whole; false where it cannot be, or another was asked for.
   * @param {string} url @param {string} alt @param {number} top pixels that words cover @returns {Promise<boolean>} */
  async draw(url, alt, top) {
    this.clear('drawing');
    const turn = this.turn;
    this.image.alt = alt;
    this.image.src = url;
    try {
      await this.image.decode();
    } catch {
      if (turn === this.turn) this.clear('broken');
      return false;
    }
    if (turn !== this.turn) return false;
    const { naturalWidth: width, naturalHeight: height } = this.image;
    if (width === 0 || height === 0) {
      this.clear('broken');
      return false;
    }
    this.image.hidden = false;
    this.shows('picture');
    this.view.set(width, height, top);
    this.region();
    await painted();
    return turn === this.turn;
  }

  /** The inspected region, where the picture is the camera's whole frame. @private */
  region() {
    const { roi, frame } = setup.config;
    const mark = part('roi');
    const { naturalWidth: width, naturalHeight: height } = this.image;
    const whole = roi && frame && Math.abs(frame[0] / frame[1] - width / height) < 0.01;
    mark.hidden = !whole || (roi[2] >= frame[0] && roi[3] >= frame[1]);
    if (mark.hidden) return;
    mark.style.left = `${(100 * roi[0]) / frame[0]}%`;
    mark.style.top = `${(100 * roi[1]) / frame[1]}%`;
    mark.style.width = `${(100 * roi[2]) / frame[0]}%`;
    mark.style.height = `${(100 * roi[3]) / frame[1]}%`;
  }
}

/** Have the browser fetch a picture before it is needed. @param {string|null|undefined} url */
export function preload(url) {
  if (!url) return;
  const image = new Image();
  image.src = url;
  image.decode().catch(() => { /* it is tried again, and said, when it is needed */ });
}
