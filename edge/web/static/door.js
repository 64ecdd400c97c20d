/** Signing in and the locked page. */
import { Alert } from './alert.js';
import { on, part, say, setup, tell } from './page.js';
import { pads } from './pad.js';
import { age, t } from './texts.js';

pads();
on('entered', ({ to }) => location.assign(setup.page === 'locked' ? '/queue' : to));
if (setup.page === 'locked') {
  on('session', (what) => { if (what === 'over') location.assign('/sign-in'); });
  on('queue', (known) => {
    if (typeof known.waiting !== 'number') return;
    say(part('door-count'), String(known.waiting));
    say(part('door-oldest'), typeof known.oldest_s === 'number' && known.waiting > 0 ? t('lock.oldest', { age: age(known.oldest_s) }) : '');
    tell('counts', known);
  });
  new Alert(() => { /* no sound before the first touch, and that unlocks */ });
  import('./events.js');
}
