/** Persons and tokens: forms that need the PIN again. */
import { fresh } from './confirm.js';

fresh((data) => {
  if (data?.token) {
    const box = document.getElementById('token');
    const text = document.getElementById('token-text');
    if (text) text.textContent = data.token;
    box?.removeAttribute('hidden');
    box?.scrollIntoView({ block: 'center' });
    return;
  }
  location.assign(data?.to ?? '/people');
});
