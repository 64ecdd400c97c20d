/** Words, times and ages in the person's language and the station's time zone. */
import { setup } from './page.js';

const blocks = [...document.querySelectorAll('script[data-texts]')];
const tree = Object.assign({}, ...blocks.map((block) => JSON.parse(block.textContent || '{}')));

/** @param {string} key @returns {string|undefined} */
function find(key) {
  const found = key.split('.').reduce((place, name) => (place ? place[name] : undefined), tree);
  return typeof found === 'string' ? found : undefined;
}

/** The text of a key with its facts; `x_one` where n is 1; the key itself where there is no text.
 * @param {string} key @param {Record<string, unknown>} [facts] */
export function t(key, facts = {}) {
  const text = (Number(facts.n) === 1 ? find(`${key}_one`) : undefined) ?? find(key);
  return text === undefined ? key : text.replace(/\{(\w+)\}/g, (whole, name) => String(facts[name] ?? whole));
}

/** The text of `group.name`, of `group.other` where that is unknown.
 * @param {string} group @param {string|null|undefined} name @param {Record<string, unknown>} [facts] */
export function named(group, name, facts = {}) {
  return find(`${group}.${name}`) === undefined
    ? t(`${group}.other`, { code: name, ...facts }) : t(`${group}.${name}`, facts);
}

const clock = new Intl.DateTimeFormat(setup.language, {
  timeZone: setup.config?.time_zone, hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
});
const short = new Intl.DateTimeFormat(setup.language, {
  timeZone: setup.config?.time_zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
});

/** 14:02:31 of an ISO time; '' for none. @param {string|null|undefined} iso */
export function at(iso) {
  const when = iso ? new Date(iso) : null;
  return when && !Number.isNaN(when.valueOf()) ? clock.format(when) : '';
}

/** 14:02 of an ISO time. @param {string|null|undefined} iso */
export function minute(iso) {
  const when = iso ? new Date(iso) : null;
  return when && !Number.isNaN(when.valueOf()) ? short.format(when) : '';
}

/** "42 s", "3:07 min", "2 h 5 min", "3 days". @param {number} seconds */
export function age(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return t('time.seconds', { n: whole });
  if (whole < 3600) {
    return t('time.minutes_seconds', { minutes: Math.floor(whole / 60), seconds: String(whole % 60).padStart(2, '0') });
  }
  if (whole < 86400) return t('time.hours', { hours: Math.floor(whole / 3600), minutes: Math.floor((whole % 3600) / 60) });
  return t('time.days', { n: Math.floor(whole / 86400) });
}

/** A part's fate in words: "held". @param {{disposition: string}|null|undefined} fate */
export const fated = (fate) => (fate ? t(`fate.${fate.disposition}`) : '');

/** Why the station did not do it, in words. @param {{code: string, facts?: any}} error */
export function refused(error) {
  const facts = error.facts ?? {};
  const fate = facts.fate ?? (facts.disposition ? facts : null);
  const when = at(fate?.at ?? facts.at);
  if (error.code === 'answered' && when === '') return t('refused.answered_plain');
  if (error.code === 'too_late' && (when === '' || !fate)) return t('refused.too_late_plain');
  return named('refused', error.code, { at: when, fate: fated(fate) });
}
