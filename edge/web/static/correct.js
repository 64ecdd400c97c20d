/** One's own last answer was wrong: the label is corrected, with a reason. The part's fate stays. */
import { call, ROOT } from './api.js';
import { on, part } from './page.js';
import { refused, t } from './texts.js';

/** @param {import('./last.js').Last} last */
export function correcting(last) {
  const sheet = part('correct-sheet');
  const choices = [...sheet.querySelectorAll('[data-to]')];
  const wrong = part('correct-wrong');
  /** @type {import('./last.js').Answered|null} */
  let about = null;
  const choose = (/** @type {Element|null} */ chosen) => {
    for (const one of choices) one.setAttribute('aria-checked', String(one === chosen));
  };
  for (const one of choices) one.addEventListener('click', () => choose(one));
  for (const one of sheet.querySelectorAll('[data-reason]')) {
    one.addEventListener('click', () => { part('correct-reason').value = one.textContent ?? ''; });
  }
  on('correct', (answered) => {
    about = answered;
    choose(null);
    part('correct-reason').value = '';
    part('correct-words').textContent = answered ? t('answered.was', { part: answered.number, verdict: answered.word }) : '';
    wrong.textContent = '';
    sheet.showModal();
  });
  part('correct-go').addEventListener('click', async () => {
    const chosen = choices.find((one) => one.getAttribute('aria-checked') === 'true');
    const reason = part('correct-reason').value.trim();
    if (!about || !chosen || !reason) {
      wrong.textContent = t('answered.correct_needs');
      return;
    }
    const to = /** @type {HTMLElement} */ (chosen).dataset.to ?? '';
    const reply = await call('POST', `${ROOT}/corrections`, { inspection: about.inspection, to, reason });
    if (!reply.ok) {
      wrong.textContent = refused(reply.error ?? { code: 'other' });
      return;
    }
    sheet.close();
    last.note(`${about.number}: ${t('answered.corrected', { verdict: t(`answered.${to}`) })}`, 'good');
  });
}
