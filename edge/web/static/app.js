/** What every page of somebody who is signed in has: live counts, the lock, sound, the menu. */
import './events.js';
import { Alert } from './alert.js';
import { closers, handOver } from './hand_over.js';
import { Lock } from './lock.js';
import { on, part, tell } from './page.js';
import { Sound } from './sound.js';
import { t } from './texts.js';

const known = {};
if (document.body.dataset.page !== 'queue') {
  on('queue', (data) => tell('counts', Object.assign(known, data)));
}
on('link', (state) => {
  part('link').dataset.link = state;
  part('link').title = t(`link.${state}`);
  part('link').querySelector('.quiet-text').textContent = t(`link.${state}`);
});
addEventListener('pointerdown', (event) => {
  if (!(event.target instanceof Element && event.target.closest('#menu'))) part('menu').open = false;
});
addEventListener('keydown', (event) => { if (event.key === 'Escape') part('menu').open = false; });

closers();
handOver();
export const lock = new Lock();
export const sound = new Sound();
export const alerting = new Alert(() => sound.play());
