/** The page of the queue: its parts, and what the buttons and keys do. */
import { Answering } from './answer.js';
import { alerting, lock } from './app.js';
import { keepAwake } from './awake.js';
import { Board } from './board.js';
import { guard, keyboard } from './buttons.js';
import { correcting } from './correct.js';
import { Desk } from './desk.js';
import { Group } from './group.js';
import { Last } from './last.js';
import { now, on, part, tell } from './page.js';

const AWAY_MS = 120_000; // a part that nobody has looked at for so long goes back to the others
const HIDDEN_MS = 5_000;

const last = new Last();
const desk = new Desk(last);
const answering = new Answering(desk, last);
new Board();
new Group(last);
correcting(last);
keepAwake();

for (const verdict of /** @type {const} */ (['accept', 'reject', 'unsure'])) {
  guard(part(verdict), desk.gate, () => answering.verdict(verdict));
}
guard(part('skip'), desk.skipping, () => answering.skip());

const press = (/** @type {import('./gate.js').Gate} */ gate, /** @type {() => void} */ act) => () => {
  if (gate.period !== null) act();
};
keyboard({
  ArrowRight: press(desk.gate, () => answering.verdict('accept')),
  ArrowLeft: press(desk.gate, () => answering.verdict('reject')),
  ArrowDown: press(desk.gate, () => answering.verdict('unsure')),
  ArrowUp: press(desk.skipping, () => answering.skip()),
  u: () => last.undo(),
  l: () => desk.look.toggle(),
  '+': () => desk.picture.view.larger(),
  '-': () => desk.picture.view.smaller(),
  0: () => desk.picture.view.whole(),
});

/** @type {ReturnType<typeof setTimeout>|undefined} */
let hiding;
document.addEventListener('visibilitychange', () => {
  clearTimeout(hiding);
  if (document.hidden) hiding = setTimeout(() => desk.stop('hidden', true), HIDDEN_MS);
  else if (desk.paused.has('hidden')) desk.stop('hidden', false);
});
on('locked', (locked) => desk.stop('locked', locked));
on('shown', (given) => { if (given === null) alerting.end(); });
for (const sheet of document.querySelectorAll('dialog')) sheet.addEventListener('close', () => desk.gate.touch());

setInterval(() => {
  const idle = now() - lock.active > AWAY_MS && desk.held_ms > AWAY_MS;
  if (idle && !desk.sending && !desk.paused.has('away')) desk.stop('away', true);
}, 1000);
for (const name of ['pointerdown', 'keydown']) {
  addEventListener(name, () => { if (desk.paused.has('away')) desk.stop('away', false); }, true);
}
tell('ask', null); // what came before the page was ready is told again
