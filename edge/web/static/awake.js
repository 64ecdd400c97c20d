/** Keeps the screen on, where the browser can; where it cannot, the page says so. */
import { part, show } from './page.js';

const KEPT = 'awake_seen';

/** Ask for the screen to stay on whenever the page is seen. */
export function keepAwake() {
  let warned = false;
  const cannot = () => {
    if (warned || localStorage.getItem(KEPT) === 'yes') return;
    warned = true;
    show(part('banner-awake'), true);
  };
  part('awake-seen').addEventListener('click', () => {
    localStorage.setItem(KEPT, 'yes');
    show(part('banner-awake'), false);
  });
  const ask = async () => {
    if (document.hidden) return;
    try {
      await navigator.wakeLock.request('screen');
    } catch {
      if (!document.hidden) cannot();
    }
  };
  document.addEventListener('visibilitychange', ask);
  ask();
}
