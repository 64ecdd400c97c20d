/** The live camera: a picture and its numbers about once a second, as long as somebody looks. */
import { call, ROOT } from './api.js';
import { on, part, pause, say, setup, show } from './page.js';
import { named, t } from './texts.js';

const EVERY_MS = 1000;
const NEAR = 0.9;
const digits = (/** @type {number} */ n) => new Intl.NumberFormat(setup.language, { minimumFractionDigits: n, maximumFractionDigits: n });
const tenth = digits(1);
const percent = new Intl.NumberFormat(setup.language, { style: 'percent', minimumFractionDigits: 2, maximumFractionDigits: 2 });
let locked = false;
on('locked', (is) => { locked = is; });

/** @typedef {{number: number, width: number, height: number, sharpness: number, sharpest: number,
 *   brightness: number, contrast: number, clipped: number, rate: number|null, latency_ms: number}} Figures */

/** A curve of the last values, the newest at the right. @param {string} name @param {number[]} values @param {number} top */
function trend(name, values, top) {
  const line = document.querySelector(`#gauge-${name} polyline`);
  const step = 240 / Math.max(1, 119);
  const first = 240 - step * (values.length - 1);
  const high = Math.max(top, ...values);
  line?.setAttribute('points', values.map((value, at) => `${(first + at * step).toFixed(1)},${(54 - (52 * value) / high).toFixed(1)}`).join(' '));
}

/** @param {string} name @param {string} now @param {string} besides */
function gauge(name, now, besides) {
  const box = part(`gauge-${name}`);
  say(box.querySelector('[data-now]'), now);
  say(box.querySelector('[data-besides]'), besides);
}

/** @param {Figures} figures @param {number[][]} trends */
function numbers(figures, trends) {
  const share = figures.sharpest > 0 ? figures.sharpness / figures.sharpest : 0;
  gauge('sharpness', tenth.format(figures.sharpness), t(share >= NEAR ? 'camera.sharpest_now' : 'camera.sharpest', { best: tenth.format(figures.sharpest) }));
  gauge('brightness', tenth.format(figures.brightness), t('camera.of_255'));
  gauge('clipped', percent.format(figures.clipped), t('camera.of_pixels'));
  trend('sharpness', trends.map((one) => one[0]), figures.sharpest);
  trend('brightness', trends.map((one) => one[1]), 255);
  trend('clipped', trends.map((one) => one[2]), 0.05);
  say(part('size'), `${figures.width} × ${figures.height}`);
  say(part('contrast'), tenth.format(figures.contrast));
  say(part('rate'), figures.rate === null ? '–' : t('camera.per_second', { n: tenth.format(figures.rate) }));
}

/** @param {string[]} codes */
function advise(codes) {
  const list = part('advice');
  const key = codes.join(' ');
  if (list.dataset.codes === key) return;
  list.dataset.codes = key;
  list.replaceChildren(...codes.map((code) => {
    const item = document.createElement('li');
    item.className = code === 'good' ? 'good' : 'better';
    item.textContent = named('camera.advice', code);
    return item;
  }));
}

/** @param {string} word live, waiting, line_down, offline */
function state(word) {
  document.body.dataset.state = word === 'live' ? 'ready' : 'dead';
  part('live-state').dataset.liveState = word;
  say(part('live-words'), t(`camera.state.${word}`));
  show(part('down'), word === 'line_down');
  part('live-picture').classList.toggle('old', word !== 'live');
}

/** @param {any} data */
async function draw(data) {
  const image = /** @type {HTMLImageElement} */ (part('live-picture'));
  const next = new Image();
  next.src = data.picture_url;
  try { await next.decode(); } catch { return; }
  image.width = next.naturalWidth;
  image.height = next.naturalHeight;
  image.src = next.src;
  show(image, true);
  show(part('no-picture'), false);
  say(part('live-number'), t('camera.number', { n: data.number }));
}

async function look() {
  const reply = await call('GET', `${ROOT}/camera/figures`);
  if (!reply.ok) { state('offline'); return; }
  const { data } = reply;
  state(data.state);
  if (data.state !== 'live') return;
  numbers(data.figures, data.trend);
  say(part('age'), t('camera.seconds', { n: tenth.format(data.age_s) }));
  advise(data.advice);
  await draw(data);
}

/** As long as the page is open and seen. */
async function watch() {
  for (;;) {
    const began = performance.now();
    if (!document.hidden && !locked) await look();
    await pause(Math.max(150, EVERY_MS - (performance.now() - began)));
  }
}

watch();
