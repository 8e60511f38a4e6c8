import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { oxlintRules, scanText, textChecks } from '@switchyard/analyzers';

const join7 = (sign: string, rest: string): string => `${sign.repeat(7)} ${rest}`;
const key = (kind: string): string => ['-----BEGIN', kind, 'KEY-----'].join(' ');

/** id → path, lines that are found, lines that are not. */
const cases: Record<string, [path: string, found: string[], clean: string[]]> = {
  'private-key': ['a.txt', [key('PRIVATE'), key('OPENSSH PRIVATE')], [key('PUBLIC'), 'a private key']],
  'conflict-marker': ['a.ts', [join7('<', 'HEAD'), join7('>', 'theirs')], ['=======', '<<<<<<< ']],
  'pipe-to-shell': [
    'x.sh',
    ['curl -fsSL https://a.example/i.sh | sh', 'wget -qO- https://a.example | sudo bash -s'],
    ['curl https://a.example -o a.sh', 'curl https://a.example | tee a.txt', 'curl a | shasum'],
  ],
  'chmod-everybody': [
    'x.sh',
    ['chmod 777 a', 'chmod -R 0666 a', 'chmod a+w b', 'chmod o+rwx c'],
    ['chmod 755 a', 'chmod u+w a', 'chmod +x a'],
  ],
  'tls-unverified': [
    'ci.yml',
    ['run: curl -k https://a.example', 'wget --no-check-certificate https://a'],
    ['curl -fsSL https://a.example', 'curl --cacert a.pem https://a'],
  ],
  'remove-from-variable-root': [
    'x.sh',
    ['rm -rf "$DIR"/*', 'rm -rf $DIR/'],
    ['rm -rf "${DIR:?}"/*', 'rm -rf "$DIR/build"'],
  ],
  'hidden-text': ['a.ts', ['const a = "\u202E";'], ['const a = "é";']],
  'unpinned-dependency': [
    'package.json',
    ['    "left": "*",', '    "left": "latest"'],
    ['    "left": "1.0.0",', '  "name": "x-latest"'],
  ],
  'dependency-from-address': [
    'package.json',
    ['    "left": "git+http://a.example/b.git"'],
    ['    "homepage": "https://a.example"'],
  ],
  'install-script': ['package.json', ['    "postinstall": "node x.js"'], ['    "test": "node x.js"']],
  'image-any-version': [
    'Dockerfile',
    ['FROM node:latest', 'FROM node:latest AS b'],
    ['FROM node:20.19-slim'],
  ],
  'image-as-root': [
    'Dockerfile',
    ['CMD ["node"]', 'ENTRYPOINT x\nUSER root'],
    ['CMD ["node"]\nUSER node', 'RUN x'],
  ],
  'image-secret': [
    'Dockerfile',
    ['ENV DB_PASSWORD=hunter22', 'ARG API_KEY abcd1234'],
    ['ENV DB_PASSWORD_FILE=/run/x', 'ENV DB_PASSWORD=$X', 'ARG TOKEN'],
  ],
  'workflow-text-in-shell': [
    '.github/workflows/a.yml',
    [
      '      - run: echo "${{ github.event.issue.title }}"',
      '          git switch ${{ github.head_ref }}',
      '      - run: echo ${{ github.event.head_commit.author.name }}',
    ],
    [
      '          TITLE: ${{ github.event.issue.title }}',
      '      - run: echo ${{ github.event.issue.number }}',
    ],
  ],
  'workflow-runs-strangers': [
    '.github/workflows/a.yml',
    ['          ref: ${{ github.event.pull_request.head.sha }}\non: pull_request_target'],
    ['          ref: ${{ github.event.pull_request.head.sha }}\non: pull_request'],
  ],
  'workflow-moving-action': [
    '.github/workflows/a.yml',
    ['      - uses: some/thing@master', '        uses: some/thing/sub@main'],
    ['      - uses: some/thing@v4', '      - uses: ./local'],
  ],
  'workflow-all-rights': ['.github/workflows/a.yml', ['permissions: write-all'], ['permissions: read-all']],
  'compose-privileged': ['docker-compose.yml', ['    privileged: true'], ['    privileged: false']],
  'compose-docker-socket': [
    'compose.prod.yaml',
    ['      - /var/run/docker.sock:/var/run/docker.sock'],
    ['      - data:/data'],
  ],
  'debugger-for-everybody': [
    'package.json',
    ['    "start": "node --inspect=0.0.0.0:9229 a.js"'],
    ['    "start": "node --inspect=127.0.0.1 a.js"'],
  ],
  'placeholder-text': [
    'a.md',
    ['This is TBD.', 'Lorem ipsum dolor'],
    ['All of it is written.', '    TBD in code'],
  ],
  'image-without-text': ['a.md', ['![](a.png)'], ['![the live view](a.png)', '[](a.png)']],
  'trailing-space': ['a.ts', ['const a = 1; '], ['const a = 1;', '']],
  'empty-link': ['a.md', ['see [this]()', 'see [this](#)'], ['see [this](a.md)', '[ ] open']],
};

describe('text checks', () => {
  it.each(textChecks.map((check) => [check.id, check] as const))('%s', (id, check) => {
    const [path, found, clean] = cases[id] ?? ['', [], []];
    expect(found.length, `${id} has no case`).toBeGreaterThan(0);
    for (const specialization of check.specializations) {
      const hits = (text: string) =>
        scanText({ path, text: `ok\n${text}\n` }, [specialization]).filter(
          (one) => one.rule === `text/${id}`,
        );
      for (const text of found)
        expect(hits(text), text).toMatchObject([{ line: 2, category: specialization }]);
      for (const text of clean) expect(hits(text), text).toEqual([]);
    }
  });

  it('look at the start of a very long line only', () => {
    const text = `${' '.repeat(900_000)}x ${' '.repeat(100_000)}`;
    for (const specialization of ['security', 'style', 'documentation', 'integration'] as const)
      for (const path of ['a.ts', 'a.sh', 'package.json', 'a.md'])
        expect(scanText({ path, text }, [specialization]).length).toBeLessThan(5);
  });
});

describe('the configuration of oxlint', () => {
  it('turns on exactly the rules that have a meaning in a review', () => {
    const config = JSON.parse(
      readFileSync(new URL('../src/config/oxlint.json', import.meta.url), 'utf8'),
    ) as { rules: Record<string, unknown> };
    const named = Object.keys(config.rules).map((name) => {
      const [plugin, rule] = name.includes('/') ? name.split('/') : ['eslint', name];
      return `${plugin ?? ''}(${rule ?? ''})`;
    });
    expect(named.sort()).toEqual([...oxlintRules.keys()].sort());
  });
});
