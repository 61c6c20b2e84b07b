// The call that makes what is on the stage, in four languages.
import { $, download } from './pictures.js';
import { address, isStatic } from './source.js';

/** Longer latents go into a file. */
const LONGEST = 160;

const FILE = 'latent.json';

export class Code {
  #app;

  constructor(app) {
    this.#app = app;
    $('language').onchange = () => this.show();
    $('copy-code').onclick = () => app.doing(async () => {
      await navigator.clipboard.writeText($('code').textContent);
      app.say('Copied.');
    });
    $('save-latent').onclick = () => download(new Blob([JSON.stringify(this.#call().body)], { type: 'application/json' }), FILE);
    app.state.addEventListener('change', ({ detail }) => { if (detail.settled) this.show(); });
    addEventListener('tab', ({ detail }) => { if (detail === 'code') this.show(); });
  }

  show() {
    if (document.body.dataset.tab !== 'code') return;
    const call = this.#call();
    $('save-latent').hidden = !call.isLong;
    $('code').textContent = languages[$('language').value](call);
  }

  /** The function and its JSON: a seed where a seed is all there is, otherwise the latent. */
  #call() {
    const { state, model } = this.#app;
    const [label, base] = [model.conditional ? { label: model.labels[state.label] } : {}, state.base];
    const isSeed = base.kind === 'seed' && !state.isEdited;
    const body = isSeed ? { count: 1, seed: base.seed, temperature: base.temperature, ...label }
      : { latents: [[...state.latent].map(value => Number(value.toPrecision(8)))], ...label };
    const { model: name, version } = model.name;
    const server = isStatic ? 'http://localhost:7071/api' : address;
    return {
      url: `${server}/models/${name}/${isSeed ? 'sample' : 'decode'}?version=${version}`, body,
      isLong: !isSeed && model.size > LONGEST,
    };
  }
}

const languages = {
  curl: ({ url, body, isLong }) => [
    `curl '${url}' \\`,
    `  -H 'Content-Type: application/json' -H 'Accept: image/png' \\`,
    isLong ? `  -d @${FILE} -o picture.png` : `  -d '${JSON.stringify(body).replaceAll("'", `'\\''`)}' \\\n  -o picture.png`,
  ].join('\n'),

  python: ({ url, body, isLong }) => [
    'import json, urllib.request',
    '',
    isLong ? `body = open("${FILE}").read()` : `body = json.dumps(${JSON.stringify(body)})`,
    `request = urllib.request.Request("${url}",`,
    '    data=body.encode(), headers={"Content-Type": "application/json", "Accept": "image/png"})',
    'with urllib.request.urlopen(request) as answer, open("picture.png", "wb") as picture:',
    '    picture.write(answer.read())',
  ].join('\n'),

  javascript: ({ url, body, isLong }) => [
    'import { readFile, writeFile } from "node:fs/promises";',
    '',
    `const body = ${isLong ? `await readFile("${FILE}", "utf8")` : `JSON.stringify(${JSON.stringify(body)})`};`,
    `const answer = await fetch("${url}",`,
    '  { method: "POST", body, headers: { "Content-Type": "application/json", Accept: "image/png" } });',
    'await writeFile("picture.png", Buffer.from(await answer.arrayBuffer()));',
  ].join('\n'),

  csharp: ({ url, body, isLong }) => [
    'using System.Text;',
    '',
    isLong ? `var body = File.ReadAllText("${FILE}");` : `var body = """${JSON.stringify(body)}""";`,
    'using var http = new HttpClient();',
    'http.DefaultRequestHeaders.Accept.ParseAdd("image/png");',
    `using var answer = await http.PostAsync("${url}",`,
    '    new StringContent(body, Encoding.UTF8, "application/json"));',
    'File.WriteAllBytes("picture.png", await answer.Content.ReadAsByteArrayAsync());',
  ].join('\n'),
};
