/** Requests to the station. Nothing goes anywhere else. */
import { pause, tell } from './page.js';

export const ROOT = '/api/v1';
const PATIENCE_MS = 10_000;

/** @typedef {{ok: boolean, status: number, data: any, error: {code: string, facts?: any}|null}} Reply
 *   `status` 0: no answer came; whether the station has done it is not known. */

const csrf = () => document.querySelector('meta[name="csrf"]')?.getAttribute('content') ?? '';

/** One request; never throws.
 * @param {string} method @param {string} path @param {any} [body] @param {AbortController} [stop]
 * @returns {Promise<Reply>} */
export async function call(method, path, body, stop = new AbortController()) {
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const reply = await fetch(path, {
      method, credentials: 'same-origin', cache: 'no-store', signal: stop.signal, redirect: 'manual',
      headers: {
        Accept: 'application/json', 'X-CSRF-Token': csrf(),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return await read(reply);
  } catch {
    return { ok: false, status: 0, data: null, error: { code: 'offline' } };
  } finally {
    clearTimeout(timer);
  }
}

/** @param {Response} reply @returns {Promise<Reply>} */
async function read(reply) {
  const text = reply.type === 'opaqueredirect' ? '' : await reply.text();
  let data = null;
  try { data = text ? JSON.parse(text) : null; } catch { /* a proxy's page: the status says enough */ }
  const error = reply.ok ? null : data?.error ?? { code: reply.type === 'opaqueredirect' ? 'signed_out' : 'other' };
  if (error) notice(reply.status, error.code);
  return { ok: reply.ok, status: reply.status || 302, data, error };
}

/** A session that is over or locked is everybody's business. @param {number} status @param {string} code */
function notice(status, code) {
  if (code === 'signed_out' || code === 'no_token') tell('session', 'over');
  else if (status === 423 || code === 'locked') tell('session', 'locked');
}

/** The same request again until the station answers it, or `until()` says that it is pointless.
 * @param {string} method @param {string} path @param {any} body
 * @param {{waiting?: () => void, until?: () => boolean}} [options] @returns {Promise<Reply>} */
export async function insist(method, path, body, options = {}) {
  for (let tries = 0; ; tries += 1) {
    const reply = await call(method, path, body);
    const unanswered = reply.status === 0 || [502, 504].includes(reply.status);
    if (!unanswered || options.until?.()) return reply;
    options.waiting?.();
    await pause(Math.min(3000, 400 * 2 ** tries));
  }
}
