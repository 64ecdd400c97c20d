/** Presses of what changes nothing for good: they act when the finger leaves, also where the browser
 * makes no click of it because the picture was moved just before. */
import { now } from './page.js';

const SAME_MS = 700; // a click so soon after the finger left is the same press

/** @param {HTMLElement} button @param {() => void} act */
export function tap(button, act) {
  let down = -1;
  let done = -1e9;
  button.addEventListener('pointerdown', (event) => {
    down = event.isPrimary && event.button === 0 ? event.pointerId : -1;
  });
  button.addEventListener('pointerup', (event) => {
    const there = document.elementFromPoint(event.clientX, event.clientY);
    if (event.pointerId !== down || !there || !button.contains(there)) return;
    down = -1;
    done = now();
    if (!button.matches(':disabled')) act();
  });
  button.addEventListener('click', (event) => {
    if (event.detail === 0 || now() - done > SAME_MS) act();
  });
}
