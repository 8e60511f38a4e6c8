import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runView, type Envelope, type RunView } from '@switchyard/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { switchyardWith, type HubCommand } from './hub-command.ts';
import { eventOf, openStandIn, viewOf, type Script, type StandIn } from './stand-in-hub.ts';

let folder = '';
let hub: StandIn | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-cli-'));
  writeFileSync(
    join(folder, 'p.yaml'),
    'tasks: [{ id: a, workspace: a, executor: { run: make } }, { id: b, workspace: b, executor: { run: make } }]',
  );
});
afterEach(async () => {
  await hub?.close();
  hub = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const versionInput = { name: 'version', text: 'Which?', choices: [] };

const switchyard = (args: readonly string[], more: Partial<HubCommand> = {}) =>
  switchyardWith(args, { folder, hub, ...more });

const good = { total: 2, completed: 2, failed: 0, skipped: 0, cancelled: 0, running: 0, waiting: 0 };
const endOf = (phase: RunView['phase'], progress = good): RunView => {
  const view = viewOf({ phase, progress, finishedAt: 5000, tip: 'b'.repeat(40) as RunView['tip'] });
  return { ...view, tasks: view.tasks.map((task) => ({ ...task, phase: 'completed' })) };
};

/** An orchestrator on which every run ends at once, as told. */
const ending = (view: RunView): Script => {
  let isOver = false;
  return ({ type, payload }, tell) => {
    switch (type) {
      case 'run-submit':
        return ['run-submitted', { run: view.run }];
      case 'run-list':
        return ['run-listed', { runs: [isOver ? view : viewOf()] }];
      case 'run-get':
        return ['run-got', { view: isOver ? view : viewOf() }];
      case 'run-watch':
        isOver = true;
        tell('run-event', eventOf(1, 'started', { text: 'the run starts' }) as never);
        tell(
          'run-event',
          eventOf(2, 'task-assigned', { taskId: 'a', worker: 'w1', attempt: 1, text: 'goes to w1' }) as never,
        );
        tell(
          'run-event',
          eventOf(3, view.phase === 'completed' ? 'completed' : 'failed', {
            text: 'over',
            progress: view.progress,
          }) as never,
        );
        return ['run-watched', { view: viewOf(), seq: 0 }];
      case 'report-get':
        return [
          'report-got',
          {
            report: { view, plan: planOf(), tasks: [], verification: [], sandbox: 'bubblewrap', events: [] },
            files: { markdown: '/r/report.md', html: '/r/report.html', json: '/r/report.json' },
          },
        ];
      default:
        return [
          'error',
          { code: 'E_USAGE', message: `not in the script: ${type} ${JSON.stringify(payload)}` },
        ];
    }
  };
};
const planOf = (): never =>
  ({
    version: 1,
    name: 'demo',
    strategy: 'auto',
    limits: { workers: 5, rpm: 10 },
    retryPolicy: {},
    scratch: [],
    include: [],
    verify: { run: [], when: 'batch', timeoutMs: 1000 },
    tasks: [
      {
        id: 'a',
        kind: 'manual',
        instructions: '',
        workspace: [],
        reads: 'all',
        dependsOn: [],
        requires: [],
        estimate: {},
        executor: { kind: 'command', run: [] },
        acceptance: [],
        review: { mode: 'never', specializations: [], rounds: 1, timeoutMs: 1000, onTimeout: 'escalate' },
        mcpServers: [],
        onFailure: 'continue',
        timeoutMs: 1000,
        retries: 0,
      },
    ],
  }) as never;
const typesOf = (asked: readonly Envelope[]): string[] => asked.map(({ type }) => type);

describe('a run on an orchestrator', () => {
  it('is submitted, followed line by line, summed up, and told where its report is', async () => {
    hub = await openStandIn(ending(endOf('completed')));
    const ended = await switchyard(['run', 'p.yaml']);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const [before = '', after = ''] = ended.stdout.split('\n\n');
    expect(before).toContain('  0.0s  0/2          started: the run starts\n  1.0s  0/2  ▶ a     goes to w1');
    expect(before).not.toContain('\u001B');
    expect(after).toMatch(/✔ a +completed/);
    expect(ended.stdout).toContain(
      'run demo-abcdef completed: 2 of 2 tasks completed in 4.0s\nreport: /r/report.html\n',
    );
    expect(ended.stdout).toMatch(/switchyard apply demo-abcdef\n$/);
    expect(hub.asked[0]).toMatchObject({
      type: 'run-submit',
      payload: { file: 'p.yaml', plan: { name: 'p' } },
    });
  });

  it('that fails exits with 1', async () => {
    hub = await openStandIn(ending(endOf('failed', { ...good, completed: 1, failed: 1 })));
    expect(await switchyard(['run', 'p.yaml'])).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        /\nrun demo-abcdef failed: 1 of 2[^]*\nto try again: mend what is told above, then switchyard run PLAN;/,
      ) as string,
    });
  });

  it('that completes with a failed task exits with 1', async () => {
    hub = await openStandIn(ending(endOf('completed', { ...good, completed: 1, failed: 1 })));
    expect((await switchyard(['run', 'p.yaml'])).code).toBe(1);
  });

  it('prints one event a line with --json, and nothing else', async () => {
    hub = await openStandIn(ending(endOf('completed')));
    const ended = await switchyard(['run', 'p.yaml', '--json']);
    const lines = ended.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string });
    expect(lines.map(({ kind }) => kind)).toEqual(['started', 'task-assigned', 'completed']);
    expect(ended.code).toBe(0);
  });

  it('goes on alone with --detach', async () => {
    hub = await openStandIn(ending(endOf('completed')));
    const ended = await switchyard(['run', 'p.yaml', '--detach']);
    expect(ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('switchyard resume demo-abcdef') as string,
    });
    expect(typesOf(hub.asked)).toEqual(['run-submit']);
  });

  it('is left alone at ctrl-C, and told how to follow it again', async () => {
    const script = ending(endOf('completed'));
    hub = await openStandIn((envelope, tell) => {
      if (envelope.type !== 'run-watch') return script(envelope, tell);
      tell('run-event', eventOf(1, 'started', { text: 'the run starts' }) as never);
      return ['run-watched', { view: viewOf(), seq: 0 }];
    });
    const ended = await switchyard(['run', 'p.yaml'], {
      seen: (stdout, kill) => stdout.includes('the run starts') && kill('SIGINT'),
    });
    expect(ended).toMatchObject({
      code: 130,
      stderr: 'detached; run demo-abcdef goes on. To follow it again: switchyard resume demo-abcdef\n',
    });
    expect(typesOf(hub.asked)).not.toContain('fleet-shutdown');
  });

  it('is resumed by the beginning of its name, out of its pause', async () => {
    const script = ending(endOf('completed'));
    hub = await openStandIn((envelope, tell) => {
      if (envelope.type === 'run-get' && !typesOf(hub?.asked ?? []).includes('run-resume'))
        return ['run-got', { view: viewOf({ paused: true }) }];
      return envelope.type === 'run-resume' ? ['done', {}] : script(envelope, tell);
    });
    expect((await switchyard(['resume', 'demo'])).code).toBe(0);
    expect(typesOf(hub.asked).slice(0, 4)).toEqual(['run-list', 'run-get', 'run-resume', 'run-watch']);
  });
});

describe('orders and questions', () => {
  it.each([
    [
      ['run', 'cancel', 'demo', 'a', '--reason', 'no'],
      { type: 'run-cancel', payload: { run: 'demo-abcdef', taskId: 'a', reason: 'no' } },
    ],
    [['run', 'pause', 'demo'], { type: 'run-pause', payload: { run: 'demo-abcdef' } }],
    [
      ['gate', 'approve', 'demo', 'a', '--note', 'fine'],
      { type: 'gate-answer', payload: { taskId: 'a', approve: true, note: 'fine' } },
    ],
    [
      ['gate', 'approve', 'demo', 'a', '--input', 'version=1=2', '--input', 'ring='],
      { type: 'gate-answer', payload: { approve: true, inputs: { version: '1=2', ring: '' } } },
    ],
    [['gate', 'reject', 'demo', 'a'], { type: 'gate-answer', payload: { approve: false } }],
    [
      ['answer', 'demo', 'a', '--action', 'retry', '--note', 'use b'],
      { type: 'escalation-answer', payload: { action: 'retry', note: 'use b' } },
    ],
  ])('%j is sent as it was said', async (args, expected) => {
    hub = await openStandIn(({ type }) => {
      if (type === 'run-list') return ['run-listed', { runs: [viewOf()] }];
      return type === 'run-get' ? ['run-got', { view: viewOf() }] : ['done', {}];
    });
    expect((await switchyard(args)).code).toBe(0);
    expect(hub.asked.findLast(({ type }) => type === expected.type)).toMatchObject(expected);
  });

  it.each([
    ['failed', 'rejected a: it has failed\n'],
    ['pending', 'rejected a: the work before it begins again, and then it asks again\n'],
    ['completed', 'rejected a: nothing of it is added\n'],
  ] as const)('reject a gate, and say what follows: %s', async (phase, text) => {
    const view = viewOf();
    const after = { ...view, tasks: view.tasks.map((task) => ({ ...task, phase })) };
    hub = await openStandIn(({ type }) => {
      if (type === 'run-list') return ['run-listed', { runs: [view] }];
      return type === 'run-get' ? ['run-got', { view: after }] : ['done', {}];
    });
    expect((await switchyard(['gate', 'reject', 'demo', 'a'])).stdout).toBe(text);
  });

  it('answer a gate by a file that a person edits, once it is saved with an answer that counts', async () => {
    const waiting = {
      ...{ kind: 'gate', text: 'Deploy it', since: 1000, deadline: 9_000, default: 'fail' },
      inputs: [versionInput],
    };
    const view = viewOf();
    const gated = runView.parse({
      ...view,
      tasks: view.tasks.map((task) => (task.id === 'a' ? { ...task, phase: 'waiting', waiting } : task)),
    });
    hub = await openStandIn(({ type }) => {
      if (type === 'run-list') return ['run-listed', { runs: [gated] }];
      return type === 'run-get' ? ['run-got', { view: gated }] : ['done', {}];
    });
    const file = join(folder, 'reply.md');
    const saved = (edit: (text: string) => string): void => {
      // As many editors do: another file in its place.
      writeFileSync(`${file}.new`, edit(readFileSync(file, 'utf8')));
      renameSync(`${file}.new`, file);
    };
    let steps = 0;
    const asked = switchyard(['gate', 'ask', 'demo', 'a', 'reply.md', '--wait'], {
      errors: (stderr) => {
        if (steps === 0 && stderr.includes('answer it in reply.md')) {
          steps = 1;
          // Beside it, and without an answer: neither counts.
          writeFileSync(join(folder, 'other.md'), '- [x] approve\n');
          saved((text) => text.replace('## note\n', '## note\n\nnot yet\n'));
          saved((text) => text.replace('- [ ] approve', '- [y] approve'));
        }
        if (steps === 1 && stderr.includes('a box holds an x or nothing, not "y"')) {
          steps = 2;
          saved((text) =>
            text
              .replace('- [y] approve', '- [x] approve')
              .replace('not yet', 'since noon')
              .replace(/(## version\n)/, '$1\n1.4.0\n'),
          );
        }
      },
    });
    const { code, stdout, stderr } = await asked;
    expect([code, stdout, stderr]).toEqual([0, 'approved a by reply.md\n', stderr]);
    const answers = hub.asked.filter(({ type }) => type === 'gate-answer');
    expect(answers.map(({ payload }) => payload)).toMatchObject([
      { taskId: 'a', approve: true, note: 'since noon', inputs: { version: '1.4.0' } },
    ]);
    const open = await switchyard(['gate', 'ask', 'demo', 'b', 'reply.md']);
    expect(open.stderr).toContain('task b waits for no gate: it is pending');
  });

  it('show a run and list all', async () => {
    hub = await openStandIn(({ type }) =>
      type === 'run-list'
        ? ['run-listed', { runs: [viewOf()] }]
        : ['run-got', { view: viewOf({ paused: true }) }],
    );
    expect((await switchyard(['runs'])).stdout).toMatch(/\ndemo-abcdef {2}running {2}0\/2/);
    expect((await switchyard(['run', 'show', 'demo'])).stdout).toMatch(
      /^demo-abcdef {2}paused\n[^]*· a[^]*go on: switchyard resume demo-abcdef\n$/,
    );
  });

  it('of a run that nobody has end with 2', async () => {
    hub = await openStandIn(() => ['run-listed', { runs: [viewOf()] }]);
    expect(await switchyard(['run', 'show', 'other'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('error E_RUN_UNKNOWN: there is no run other') as string,
    });
  });

  it('hand on the error of the orchestrator with its exit code', async () => {
    hub = await openStandIn(({ type }) =>
      type === 'run-list'
        ? ['run-listed', { runs: [viewOf()] }]
        : ['error', { code: 'E_APPLY_DIRTY', message: 'a.ts has changes' }],
    );
    expect(await switchyard(['apply', 'demo'])).toMatchObject({
      code: 7,
      stderr: expect.stringContaining('error E_APPLY_DIRTY: a.ts has changes') as string,
    });
  });
});
