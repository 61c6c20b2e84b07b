// Where files and answers come from: the functions, or the folder of an export, with the same addresses below `root`.
const root = new URL('../', import.meta.url);

export const isStatic = document.documentElement.dataset.source === 'static';

/** Something that the person should be told, in words that say how to mend it. */
export class Problem extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

let key = remembered();
let asking = null;

/** The answer to a request. A refused key is asked for and the request sent again. */
export async function ask(path, { method = 'GET', body, type, accept } = {}) {
  for (;;) {
    const headers = { ...(key && { 'x-functions-key': key }), ...(type && { 'Content-Type': type }), ...(accept && { Accept: accept }) };
    const sent = key;
    let answer;
    try {
      answer = await fetch(new URL(path, root), { method, body, headers });
    } catch {
      throw new Problem(isStatic
        ? `${path} cannot be fetched. The folder has to be served by a web server, as it was exported.`
        : 'The server does not answer. Nothing is lost: what is on the stage stays, and will work again when it does.');
    }
    if (answer.status === 401 || answer.status === 403) {
      if (sent === key) await askForKey(sent !== null);
      continue;
    }
    if (!answer.ok) {
      const problem = await answer.json().catch(() => null);
      throw new Problem(problem?.detail ?? `${path} answered ${answer.status}.`, answer.status);
    }
    return answer;
  }
}

export const askJson = async (path, options) => (await ask(path, { accept: 'application/json', ...options })).json();

export const postJson = (path, value, accept = 'application/json') =>
  ask(path, { method: 'POST', type: 'application/json', body: JSON.stringify(value), accept });

/** The models there are to look at: [{ model, version }]. */
export async function listModels() {
  const { models } = await askJson(isStatic ? 'explorer.json' : 'models');
  return models.filter(line => line.version);
}

export const operation = ({ model, version }, name) =>
  `models/${encodeURIComponent(model)}/${name}?version=${encodeURIComponent(version)}`;

export const fileOf = ({ model, version }, name) =>
  `models/${encodeURIComponent(model)}/versions/${encodeURIComponent(version)}/files/${encodeURIComponent(name)}`;

/** The address of the functions, for code that is shown. */
export const address = root.href.replace(/\/$/, '');

/** One question for the key at a time. */
function askForKey(wasWrong) {
  return asking ??= new Promise((resolve, reject) => {
    const dialog = document.getElementById('key-dialog');
    const input = dialog.querySelector('input');
    dialog.querySelector('.wrong').hidden = !wasWrong;
    dialog.returnValue = '';
    dialog.onclose = () => {
      asking = null;
      if (dialog.returnValue !== 'use' || !input.value.trim()) {
        reject(new Problem('Without a key the functions do not answer. Open the page again to enter one.', 401));
        return;
      }
      key = input.value.trim();
      try { sessionStorage.setItem('functions-key', key); } catch { /* no storage: the key is asked for again next time */ }
      resolve();
    };
    dialog.showModal();
    input.select();
  });
}

function remembered() {
  try {
    return sessionStorage.getItem('functions-key');
  } catch {
    return null;
  }
}
