/** Presses that are meant: by one finger, the mouse, or a key, begun and ended on one button. */
import { typing } from './page.js';

/** @typedef {import('./gate.js').Gate} Gate */

/** Keys that are down. A key acts once and not again before it was let go. @type {Set<string>} */
const held = new Set();
/** Fingers that are down, anywhere. @type {Set<number>} */
const fingers = new Set();

addEventListener('keyup', (event) => held.delete(event.code), true);
addEventListener('blur', () => held.clear());
addEventListener('pointerdown', (event) => {
  if (event.isPrimary) fingers.clear(); // the first of a touch: whatever was missed is up again
  fingers.add(event.pointerId);
}, true);
for (const name of ['pointerup', 'pointercancel']) {
  addEventListener(name, (event) => setTimeout(() => fingers.delete(/** @type {PointerEvent} */ (event).pointerId)), true);
}

/** A button that acts only while the gate is open, and only if a press lies in one opening.
 * @param {HTMLElement} button @param {Gate} gate @param {() => void} act */
export function guard(button, gate, act) {
  /** @type {{pointer: number, period: number}|null} */
  let press = null;
  const drop = () => { press = null; button.classList.remove('pressed'); };
  button.addEventListener('pointerdown', (event) => {
    drop();
    if (!event.isPrimary || event.button !== 0 || fingers.size > 1 || gate.period === null) return;
    press = { pointer: event.pointerId, period: gate.period };
    button.classList.add('pressed');
  });
  button.addEventListener('pointerup', (event) => {
    const begun = press;
    drop();
    const there = document.elementFromPoint(event.clientX, event.clientY)?.closest('button') === button;
    if (begun && begun.pointer === event.pointerId && begun.period === gate.period && there && fingers.size <= 1) act();
  });
  for (const name of ['pointercancel', 'lostpointercapture', 'contextmenu']) button.addEventListener(name, drop);
  addEventListener('pointerdown', (event) => { if (press && event.pointerId !== press.pointer) drop(); }, true);
  // Enter and Space on the focused button come through the keyboard's own rules; what comes without
  // a pointer or a key is an aid for people who use neither.
  button.addEventListener('click', (event) => {
    if (event.detail === 0 && event.isTrusted && held.size === 0 && gate.period !== null) act();
    event.preventDefault();
  });
  button.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    if (fresh(event) && gate.period !== null) act();
  });
  button.addEventListener('keyup', (event) => { if (event.key === ' ') event.preventDefault(); });
}

/** Whether this is the first stroke of a key that was up, without a modifier.
 * @param {KeyboardEvent} event */
function fresh(event) {
  const first = !event.repeat && !held.has(event.code);
  held.add(event.code);
  return first && !event.ctrlKey && !event.altKey && !event.metaKey;
}

/** Keys of the page: they act where no text field has the focus and no sheet is open.
 * @param {Record<string, (event: KeyboardEvent) => void>} keys by `event.key`, letters in lower case */
export function keyboard(keys) {
  addEventListener('keydown', (event) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = keys[key];
    if (!act || typing(event.target) || document.querySelector('dialog[open]')) return;
    if (event.key.startsWith('Arrow')) event.preventDefault();
    if (fresh(event)) act(event);
  });
}
