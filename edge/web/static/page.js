/** What the page was made with: its parts, its set-up, its clock. */

/** @typedef {{page: string, station: string, language: string, version: string, signed_in: boolean,
 *   config: {lock_after_s: number, lease_s: number, undo_s: number, time_zone: string,
 *   roi?: number[]|null, frame?: number[]|null}}} Setup */

/** @param {string} id @returns {any} the JSON of a data block, {} where there is none */
export function data(id) {
  const block = document.getElementById(id);
  return block ? JSON.parse(block.textContent || '{}') : {};
}

/** @type {Setup} */
export const setup = data('setup');

/** The element with this id; a page without it is a mistake and says so at once.
 * @param {string} id @returns {any} */
export function part(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/** Set the text of an element only where it changes: a live region then speaks once.
 * @param {Element} element @param {string} text */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Show or hide, only where it changes: hiding moves the page. @param {HTMLElement} element @param {boolean} shown */
export function show(element, shown) {
  if (element.hidden === shown) element.hidden = !shown;
}

/** Milliseconds on a clock that never jumps. */
export const now = () => performance.now();

/** @param {number} ms @returns {Promise<void>} */
export const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

/** The page's own event bus: `changed`, `state`, `activity` … */
export const bus = new EventTarget();

/** @param {string} name @param {any} [detail] */
export function tell(name, detail) {
  bus.dispatchEvent(new CustomEvent(name, { detail }));
}

/** @param {string} name @param {(detail: any) => void} heard */
export function on(name, heard) {
  bus.addEventListener(name, (event) => heard(/** @type {CustomEvent} */ (event).detail));
}

/** Whether keys are being typed into a field. @param {EventTarget|null} [target] */
export function typing(target = document.activeElement) {
  return target instanceof HTMLElement
    && (target.isContentEditable || target.matches('input, textarea, select'));
}
