/** One inspection in full: overlays on and off, and the label corrected. */
import { call, ROOT } from './api.js';
import { Look } from './look.js';
import { refused, t } from './texts.js';

const toggle = /** @type {HTMLElement|null} */ (document.getElementById('look-toggle'));
if (toggle) new Look().set(toggle.dataset.url ?? null);

const roi = document.getElementById('roi');
const roiToggle = document.getElementById('roi-toggle');
roiToggle?.addEventListener('click', () => {
  const shown = roiToggle.getAttribute('aria-pressed') !== 'true';
  roiToggle.setAttribute('aria-pressed', String(shown));
  roi?.toggleAttribute('hidden', !shown);
});
if (!roi) roiToggle?.remove();

const back = document.getElementById('back');
back?.addEventListener('click', (event) => {
  if (!document.referrer.startsWith(`${location.origin}/history`)) return;
  event.preventDefault();
  history.back();
});

const form = /** @type {HTMLFormElement|null} */ (document.getElementById('correction'));
form?.addEventListener('submit', async (event) => {
  event.preventDefault();
  const wrong = document.getElementById('correction-wrong');
  const given = new FormData(form);
  const to = given.get('to');
  const say = (/** @type {string} */ words) => { if (wrong) wrong.textContent = words; };
  if (!to) { say(t('answered.correct_needs')); return; }
  const reply = await call('POST', `${ROOT}/corrections`, {
    inspection: form.dataset.inspection, to, label: given.get('label') || null, reason: given.get('reason'),
  });
  if (reply.ok) location.reload();
  else say(refused(reply.error ?? { code: 'other' }));
});
