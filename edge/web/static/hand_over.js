/** The end of a shift: a note for whoever comes next. */
import { call, ROOT } from './api.js';
import { part } from './page.js';
import { refused, t } from './texts.js';

/** Buttons that close the sheet they are in. */
export function closers() {
  for (const button of document.querySelectorAll('dialog [data-close]')) {
    button.addEventListener('click', () => button.closest('dialog')?.close());
  }
}

/** The sheet, and what it does. */
export function handOver() {
  const sheet = part('hand-over');
  const wrong = part('hand-over-wrong');
  part('end-shift').addEventListener('click', () => {
    part('menu').open = false;
    wrong.textContent = '';
    sheet.showModal();
  });
  part('hand-over-go').addEventListener('click', async () => {
    part('hand-over-go').disabled = true;
    const reply = await call('POST', `${ROOT}/hand-over`, { note: part('hand-over-note').value.trim() });
    part('hand-over-go').disabled = false;
    if (!reply.ok) {
      wrong.textContent = t('hand_over.failed', { why: refused(reply.error ?? { code: 'other' }) });
      return;
    }
    const out = await call('POST', '/sign-out', {});
    location.assign(out.data?.to ?? '/sign-in');
  });
}
