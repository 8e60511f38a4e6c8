import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSandbox, type Sandbox } from '@switchyard/guard';
import type { CommitId } from '@switchyard/protocol';
import { silentLogger, systemClock } from '@switchyard/runtime';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WorkerBench, workerPeer } from './worker-bench.ts';

// Real sandboxes on a busy machine.
let sandbox: Sandbox;
let bench: WorkerBench;
let base: CommitId;
const files = {
  'README.md': '# Demo\n',
  'src/a.txt': 'a\n',
  'docs/old.md': 'old\n',
  'lib/kept': 'kept\n',
  'package.json': '{}',
};
beforeAll(async () => {
  sandbox = await openSandbox({ mode: 'auto', logger: silentLogger(), clock: systemClock });
});
afterAll(() => sandbox.close());
beforeEach(async () => {
  bench = new WorkerBench(sandbox);
  base = bench.objects.commit(files);
  bench.openHub();
  await bench.daemon.start();
  await bench.connected();
});
afterEach(() => bench.close());

describe('an attempt', () => {
  it('ends in a commit, with receipts from a fresh checkout, and leaves nothing on the machine', async () => {
    bench.assign(base, ['cat README.md > docs/new.md', 'echo junk > "$TMPDIR/x"'], {
      acceptance: [
        { kind: 'text', text: 'the docs read well' },
        { kind: 'run', run: 'grep Demo docs/new.md', text: 'it names the demo' },
        { kind: 'run', run: 'test ! -e .git' },
      ],
    });
    expect((await bench.next('task-accepted')).payload).toMatchObject({
      run: 'demo-abc',
      taskId: 'write docs',
      fence: 1,
    });
    const { payload } = await bench.next('task-completed');
    expect(payload).toMatchObject({
      result: '2 commands ended well',
      filesModified: ['docs/new.md'],
      testsPass: true,
      acceptanceCriteria: { 'the docs read well': true, 'it names the demo': true, 'test ! -e .git': true },
      evidence: {
        base,
        sandbox: 'bubblewrap',
        worker: workerPeer,
        filesChanged: [{ path: 'docs/new.md', change: 'added' }],
      },
    });
    const commit = payload.evidence.commit ?? '';
    expect(payload.evidence.receipts.map((receipt) => [receipt.commit, receipt.exitCode])).toEqual([
      [commit, 0],
      [commit, 0],
    ]);
    expect(bench.objects.refs()).toEqual([
      expect.stringMatching(
        new RegExp(`^refs/switchyard/attempts/demo-abc/write-docs-[0-9a-f]{8}/1 ${commit}$`),
      ),
    ]);
    expect(bench.objects.show(commit, 'docs/new.md')).toBe('# Demo');
    await bench.until(() => bench.leftAttempts().length === 0);
    await bench.until(() => bench.outbox.pending().length === 0);
  });

  it('tells where it stands', async () => {
    bench.assign(base, ['echo working; sleep 0.6; echo more > docs/n.md']);
    await bench.next('task-progress');
    await bench.next('task-completed');
    const told = bench.received
      .filter((envelope) => envelope.type === 'task-progress')
      .map((envelope) => envelope.payload);
    expect(told).toContainEqual(expect.objectContaining({ phase: 'running', message: 'working' }));
  });

  it('cannot write outside its workspace, nor see the machine or the network', async () => {
    bench.assign(base, [
      'echo x > src/a.txt || echo refused-src > docs/r1',
      'echo x > new.txt || echo refused-root > docs/r2',
      'ls /work /root/.ssh "$HOME/.ssh" 2>/dev/null; cat /etc/shadow 2>/dev/null || echo refused-shadow > docs/r3',
      '(exec 3<>/dev/tcp/127.0.0.1/22) 2>/dev/null || echo refused-net > docs/r4',
    ]);
    const { payload } = await bench.next('task-completed');
    expect(payload.filesModified).toEqual(['docs/r1', 'docs/r2', 'docs/r3', 'docs/r4']);
  });

  it.each([
    ['a failing command', ['echo oh no; exit 7'], {}, 'E_COMMAND_FAILED', 'logic', /exit code 7/],
    ['no change', ['true'], {}, 'E_NO_CHANGES', 'logic', /changed nothing/],
    [
      'what the audit finds: links out, pipes, repositories and files that make the host run code',
      [
        'echo x > docs/x; ln -s /home/a docs/out; mkfifo docs/pipe; git init -q docs/repo',
        'mkdir docs/.vscode; echo {} > docs/.vscode/tasks.json',
      ],
      {},
      'E_WORKSPACE_VIOLATION',
      'logic',
      /docs\/\.vscode \(protected-changed\).*docs\/out \(symlink-escape\), docs\/pipe \(special-file\).*docs\/repo\/\.git \(git-dir\)/,
    ],
    [
      'a hanging command',
      ['sleep 60'],
      { timeoutMs: 1_000 },
      'E_COMMAND_TIMEOUT',
      'logic',
      /longer than the task's 1 s/,
    ],
    [
      'a failing criterion',
      ['echo x > docs/x'],
      { acceptance: [{ kind: 'run', run: 'exit 3' }] },
      'E_ACCEPTANCE',
      'logic',
      /"exit 3" ended with exit code 3/,
    ],
    [
      'another executor',
      [],
      { executor: { kind: 'acp', agent: 'x' } },
      'E_EXECUTOR',
      'logic',
      /no executor "acp"/,
    ],
    [
      'a failing set-up',
      [],
      { setup: { run: ['echo no deps; exit 9'], network: [] } },
      'E_SETUP_FAILED',
      'logic',
      /exit code 9/,
    ],
  ])('fails on %s', async (_, run, extra, code, failureClass, message) => {
    bench.assign(base, run, extra);
    const { payload } = await bench.next('task-failed');
    expect(payload.failure).toMatchObject({ code, class: failureClass });
    expect(payload.failure.message).toMatch(message);
    expect(payload.error).toBe(payload.failure.message);
    await bench.until(() => bench.leftAttempts().length === 0);
  });

  it('carries the receipts of failing acceptance commands', async () => {
    bench.assign(base, ['echo x > docs/x'], {
      acceptance: [
        { kind: 'run', run: 'echo wrong; exit 3' },
        { kind: 'run', run: 'test -e docs/x' },
      ],
    });
    const { payload } = await bench.next('task-failed');
    expect(payload.evidence?.receipts?.map((receipt) => [receipt.exitCode, receipt.outputTail])).toEqual([
      [3, 'wrong\n'],
      [0, ''],
    ]);
    expect(bench.objects.refs().filter((ref) => ref.includes('/attempts/'))).toEqual([]);
  });

  it('tells what is not its to do while it works, whatever it is, each once; then fails for the same', async () => {
    const told = () =>
      bench.received.flatMap((one) => (one.type === 'task-progress' ? (one.payload.violations ?? []) : []));
    const paths = ['docs/.vscode/tasks.json', 'docs/out', 'docs/pipe'];
    const deeds =
      'ln -s /home/a docs/out; mkfifo docs/pipe; mkdir docs/.vscode; echo {} > docs/.vscode/tasks.json';
    bench.assign(base, [`${deeds}; until [ -e docs/go ]; do echo x >> docs/busy; sleep 0.1; done`]);
    await bench.until(() => paths.every((path) => told().some((one) => one.path === path)));
    expect(bench.received.filter(({ type }) => type === 'task-failed')).toEqual([]);
    const all = readdirSync(bench.attempts, { recursive: true, encoding: 'utf8' });
    writeFileSync(join(bench.attempts, all.find((path) => path.endsWith('/docs/busy')) ?? '', '../go'), '');
    const { payload } = await bench.next('task-failed');
    expect(payload.failure).toMatchObject({
      code: 'E_WORKSPACE_VIOLATION',
      paths: expect.arrayContaining(paths) as string[],
    });
    const names = told().map(({ kind, path }) => `${kind} ${path}`);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(['symlink-escape docs/out', 'special-file docs/pipe']));
    expect(names.join()).not.toMatch(/docs\/(?:busy|go)/);
  });

  it('with a file as workspace may replace it, and what it makes beside it is a violation', async () => {
    const replace = 'cp README.md README.new && echo more >> README.new && mv README.new README.md';
    const readme = { workspace: ['README.md'], workspacePath: 'README.md' };
    bench.assign(base, [replace, 'echo x > src/a.txt || true'], readme);
    const { payload } = await bench.next('task-completed');
    expect(payload.filesModified).toEqual(['README.md']);
    bench.assign(base, [replace, 'echo x > stray.txt'], { ...readme, fence: 2 });
    const failed = await bench.next('task-failed');
    expect(failed.payload.failure).toMatchObject({ code: 'E_WORKSPACE_VIOLATION', paths: ['stray.txt'] });
    expect(failed.payload.evidence).toMatchObject({ sandbox: 'bubblewrap', filesChanged: [] });
  });

  it('may work in a workspace that is not there yet, folder or file', async () => {
    bench.assign(base, ['echo a > made/deep/a.txt', 'echo b > other/b.json'], {
      workspace: ['made/deep', 'other/b.json'],
    });
    const { payload } = await bench.next('task-completed');
    expect(payload.filesModified).toEqual(['made/deep/a.txt', 'other/b.json']);
  });

  it('reads only what the plan lets it, also in its git', async () => {
    const show =
      'find . -path ./.git -prune -o -type f -print > "$TMPDIR/seen"; sort "$TMPDIR/seen" > docs/seen';
    const gitSeesNoMore =
      'test "$(git ls-tree -r --name-only HEAD) $(git status --porcelain)" = "docs/old.md ?? docs/seen" && git fsck';
    bench.assign(base, [show, gitSeesNoMore], { reads: 'workspace' });
    const workspace = await bench.next('task-completed');
    expect(bench.objects.show(workspace.payload.evidence.commit ?? '', 'docs/seen')).toBe('./docs/old.md');
    bench.assign(base, [show], { reads: ['src'], fence: 2 });
    const list = await bench.next('task-completed');
    expect(bench.objects.show(list.payload.evidence.commit ?? '', 'docs/seen')).toBe(
      './docs/old.md\n./src/a.txt',
    );
  });

  it('has private scratch, a read-only dependency layer with caches, and hands neither in', async () => {
    bench.assign(
      base,
      [
        'cat node_modules/dep > docs/dep',
        'echo x > node_modules/dep 2>/dev/null || echo read-only >> docs/dep',
        'echo c > node_modules/.cache/c && echo d > dist/d && cat dist/d lib/kept >> docs/dep',
        'echo changed > lib/kept',
      ],
      {
        setup: { run: ['mkdir node_modules && echo dependency > node_modules/dep'], network: [] },
        scratch: ['**/dist', 'lib'],
        acceptance: [{ kind: 'run', run: 'cat node_modules/dep && test ! -e dist/d' }],
      },
    );
    const { payload } = await bench.next('task-completed');
    expect(payload.filesModified).toEqual(['docs/dep']);
    expect(bench.objects.show(payload.evidence.commit ?? '', 'docs/dep')).toBe(
      'dependency\nread-only\nd\nkept',
    );
  });

  it('goes on from the commit of the last round, with its findings, and has one parent', async () => {
    const first = bench.objects.commit({ ...files, 'docs/draft.md': 'draft\n' }, base);
    bench.assign(base, ['cat docs/draft.md "$SWITCHYARD_FEEDBACK" > docs/final.md'], {
      round: 2,
      continueFrom: first,
      feedback: [{ severity: 'major', category: 'style', description: 'too short', references: [] }],
    });
    const { payload } = await bench.next('task-completed');
    expect(payload.filesModified).toEqual(['docs/draft.md', 'docs/final.md']);
    const commit = payload.evidence.commit ?? '';
    expect(bench.objects.show(commit, 'docs/final.md')).toMatch(/^draft[^]*too short/);
    expect(bench.objects.git(['rev-list', '--parents', '-1', commit])).toBe(`${commit} ${base}`);
  });

  it('has a git of its own, clean at first, in which it may do what it likes', async () => {
    bench.assign(base, [
      'test "$(git status --porcelain --branch)" = "## attempt" && git fsck && git log -p > /dev/null',
      'git status --porcelain > docs/s && git add -A && git commit -qm wip && git checkout -q -b mine && git gc -q',
      'git config core.fsmonitor /bin/false && rm -f .git/index',
    ]);
    const { payload } = await bench.next('task-completed');
    expect(payload.filesModified).toEqual(['docs/s']);
    expect(bench.objects.show(payload.evidence.commit ?? '', 'docs/s')).toBe('?? docs/s');
  });

  it('has the included files beside it, and does not hand them in', async () => {
    const include = bench.objects.commit({ '.env.test': 'E=1', 'docs/local.txt': 'l' });
    bench.assign(base, ['cat .env.test docs/local.txt > docs/new && git status --porcelain >> docs/new'], {
      include,
      acceptance: [{ kind: 'run', run: 'grep E=1 .env.test' }],
    });
    const { payload } = await bench.next('task-completed');
    expect(payload.filesModified).toEqual(['docs/new']);
    expect(bench.objects.show(payload.evidence.commit ?? '', 'docs/new')).toBe('E=1l?? docs/new');
  });

  it('of kind verify hands in no commit, and its receipts are of the base', async () => {
    bench.assign(base, ['cat README.md'], {
      kind: 'verify',
      workspace: [],
      acceptance: [{ kind: 'run', run: 'ls docs' }],
    });
    const { payload } = await bench.next('task-completed');
    expect(payload.evidence.commit).toBeUndefined();
    expect(payload.evidence.receipts[0]?.commit).toBe(base);
    expect(bench.objects.refs()).toEqual([]);
  });

  it('escalates with the words of the command', async () => {
    const words = JSON.stringify({
      reason: 'two fit',
      attemptedSolutions: ['A'],
      needsClarification: 'which?',
    });
    bench.assign(base, [`echo '${words}' > "$SWITCHYARD_ESCALATION"; exit 75`]);
    const { payload } = await bench.next('escalation');
    expect(payload).toMatchObject({
      reason: 'two fit',
      attemptedSolutions: ['A'],
      needsClarification: 'which?',
    });
  });

  it('does not follow a link that stands where its workspace should', async () => {
    bench.assign(base, ['rm -r docs/old.md; true'], { workspace: ['src/a.txt/below'], workspacePath: 'x' });
    const { payload } = await bench.next('task-failed');
    expect(payload.failure).toMatchObject({ code: 'E_OUTSIDE_WORKSPACE', class: 'logic' });
  });
});

describe('a worker', () => {
  it('carries an assignment out once, however often it is told', async () => {
    const run = ['sleep 0.3; date +%s%N > docs/n'];
    for (const _ of [1, 2, 3]) bench.assign(base, run);
    for (const _ of [1, 2, 3]) await bench.next('task-accepted');
    await bench.next('task-completed');
    bench.assign(base, run);
    await bench.next('task-accepted');
    await new Promise((resolve) => setTimeout(resolve, 800));
    const reports = bench.received.filter((envelope) => /^task-(completed|failed)$/.test(envelope.type));
    expect(reports).toEqual([]);
  });

  it('kills a cancelled attempt and says nothing', async () => {
    const { run, taskId, attempt, fence } = bench.assign(base, ['sleep 60']);
    await bench.until(() =>
      bench.received.some(
        (envelope) => envelope.type === 'task-progress' && envelope.payload.phase === 'running',
      ),
    );
    bench.hub?.send(workerPeer, 'task-cancel', { run, taskId, attempt, fence, reason: 'enough' });
    await bench.until(() => bench.leftAttempts().length === 0);
    expect(
      bench.received.filter(
        (envelope) => envelope.type !== 'task-progress' && envelope.type !== 'task-accepted',
      ),
    ).toEqual([]);
  });

  it('keeps a report on its disk until it is acknowledged, also over a restart, and says that it holds it', async () => {
    bench.acknowledges = false;
    bench.assign(base, ['echo x > docs/x']);
    const first = await bench.next('task-completed');
    await bench.restart();
    await bench.connected();
    const again = await bench.next('task-completed');
    expect(again.id).toBe(first.id);
    expect(bench.hub?.peers()[0]?.hello.holding).toEqual([
      { run: 'demo-abc', taskId: 'write docs', attempt: 1, fence: 1 },
    ]);
    bench.hub?.send(workerPeer, 'ack', { of: [first.id] });
    await bench.until(() => bench.outbox.pending().length === 0);
  });

  it('goes on while the orchestrator is away and reports when it is back', async () => {
    bench.assign(base, ['sleep 0.5; echo x > docs/x']);
    await bench.next('task-accepted');
    const old = bench.hub;
    bench.hub = undefined;
    bench.objects.isAway = true;
    await old?.close();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    bench.objects.isAway = false;
    bench.openHub();
    const { payload } = await bench.next('task-completed');
    expect(payload.filesModified).toEqual(['docs/x']);
  });

  it('stops what the hub says is no longer its own', async () => {
    const { run, taskId, attempt, fence } = bench.assign(base, ['sleep 60']);
    await bench.next('task-progress');
    bench.fenced = [{ run, taskId, attempt, fence }];
    const old = bench.hub;
    bench.openHub();
    await old?.close();
    await bench.until(() => bench.leftAttempts().length === 0);
  });

  it('drains: tells it, ends its attempts at once, and leaves no folder', async () => {
    bench.assign(base, ['sleep 600']);
    await bench.until(() =>
      bench.received.some(
        (envelope) => envelope.type === 'task-progress' && envelope.payload.phase === 'running',
      ),
    );
    await bench.daemon.drain('SIGTERM');
    expect(bench.received.map((envelope) => envelope.type)).toContain('draining');
    expect(bench.leftAttempts()).toEqual([]);
  });

  it('stops when the orchestrator asks', async () => {
    bench.hub?.send(workerPeer, 'shutdown', { reason: 'idle' });
    await bench.until(() => bench.stopped === 'idle');
  });
});
