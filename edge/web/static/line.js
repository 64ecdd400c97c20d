/** The page of the line: it stays up to date, and an engineer sets the degree. */
import './live.js';
import { call } from './api.js';
import { fresh } from './confirm.js';
import { t } from './texts.js';

const choice = /** @type {HTMLSelectElement|null} */ (document.getElementById('degree-choice'));
const said = document.getElementById('consequence');
/** @type {Record<string, string>|null} */
let consequences = null;

/** Say what the chosen degree would do, before it is set. */
async function tellConsequence() {
  if (!choice || !said) return;
  if (consequences === null) {
    said.textContent = t('line.consequence.loading');
    const reply = await call('GET', '/line/consequences');
    consequences = reply.ok ? reply.data.consequences : null;
  }
  const words = consequences?.[choice.value];
  said.textContent = words ? t('line.consequence.title') + words : '';
}

if (choice) {
  choice.addEventListener('change', tellConsequence);
  document.getElementById('set-degree')?.addEventListener('toggle', tellConsequence);
  fresh((data, form) => {
    const done = form.querySelector('[data-done]');
    const degree = data?.in_force ? t(`line.degrees.${data.in_force}.name`) : '';
    if (done) done.textContent = degree ? t('line.set.done', { degree }) : t('line.set.waits');
    form.querySelectorAll('textarea').forEach((field) => { field.value = ''; });
  });
}
