import { openSandbox, type Sandbox } from '@switchyard/guard';
import { reviewId } from '@switchyard/protocol';
import { silentLogger, systemClock, systemRandom } from '@switchyard/runtime';
import { ModelDesk, type Said } from '@switchyard/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openModelReviewer } from '../src/model-reviewer.ts';
import { ReviewerBench } from './reviewer-bench.ts';

/** A model that reviews in the real daemon: the real sandbox, path guard and gateway; only the model is played. */
let sandbox: Sandbox;
let bench: ReviewerBench;
let model: ModelDesk;
let close: () => Promise<void>;
beforeAll(async () => {
  sandbox = await openSandbox({ mode: 'auto', logger: silentLogger(), clock: systemClock });
});
afterAll(() => sandbox.close());
beforeEach(() => {
  bench = new ReviewerBench(sandbox);
  bench.engines = [];
});
afterEach(async () => {
  await bench.close();
  await close();
  await model.close();
});

/** Lets the model review a change of two files. */
async function review(
  script: readonly Said[],
  roomodes?: string,
  extra: object = {},
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  model = await ModelDesk.open(script);
  const env = { ANTHROPIC_API_KEY: 'sk-only-for-the-provider', ANTHROPIC_BASE_URL: model.endpoint.anthropic };
  const reviewer = openModelReviewer({
    model: 'claude-test',
    file: undefined,
    env,
    sandbox,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger(),
  });
  close = () => reviewer.close();
  bench.modelReviewer = reviewer;
  bench.reopen();
  bench.openHub();
  await bench.daemon.start();
  await bench.connected();
  const base = bench.objects.commit({
    'src/old.ts': 'export {};\n',
    ...(roomodes !== undefined && { '.roomodes': roomodes }),
  });
  const change = {
    'src/login.ts': 'export const query = (name) => `select ${name}`;\n',
    'src/b.ts': 'b\n',
    ...more,
  };
  bench.assign(base, bench.objects.commit(change, base), extra);
}

const read = (path: string) => ({ tool: 'read_file', input: { path } });
const readAll: Said = { calls: [read('src/login.ts'), read('./src/b.ts')] };
const submit = (findings: readonly object[]): Said => ({
  calls: [{ tool: 'submit_review', input: { summary: 'I read both files.', findings } }],
});
const injection = {
  severity: 'critical',
  file: 'src/login.ts',
  line: 1,
  description: 'SQL injection',
  suggestion: 'Use parameters',
};

describe('a review by a model', () => {
  it('rejects by its critical findings, each with its place', async () => {
    await review([readAll, submit([injection, { severity: 'info', description: 'Nice names' }])]);
    const { payload } = await bench.next('review-rejected');
    expect(payload.issues).toEqual([
      { ...injection, category: 'security', rule: 'llm/security', references: [] },
      {
        severity: 'info',
        category: 'security',
        description: 'Nice names',
        rule: 'llm/security',
        references: [],
      },
    ]);
    expect(payload.requiredChanges).toEqual(['src/login.ts:1: SQL injection Use parameters']);
    const asked = model.heard[0]?.body ?? '';
    expect(asked).toContain('You review one change of a code base for security');
    expect(asked).toContain('+export const query');
    expect(asked).not.toMatch(
      /"name":"(write_to_file|apply_diff|attempt_completion|spawn_parallel_instance)"/,
    );
  });

  it('approves with the words of the model', async () => {
    await review([readAll, submit([])]);
    const { payload } = await bench.next('review-approved');
    expect(payload.strengths).toContain('claude-test: I read both files.');
    expect(payload.issues).toEqual([]);
    expect(model.heard[0]?.body).not.toContain('CONCURRENTLY');
  });

  it('is told what to look at in SQL where the change has some', async () => {
    const path = 'db/1-users.sql';
    const all: Said = { calls: [read('src/login.ts'), read('src/b.ts'), read(path)] };
    await review([all, submit([])], undefined, {}, { [path]: 'CREATE TABLE users (id bigint);\n' });
    await bench.next('review-approved');
    expect(model.heard[0]?.body).toMatch(
      /In SQL, look at[^]*row-level security[^]*NOT VALID[^]*CONCURRENTLY[^]*10, 100 and 1,000 times/,
    );
  });

  it('takes no verdict on what was not read, nor on a file that is not there', async () => {
    await review([
      submit([]),
      { calls: [read('src/login.ts')] },
      submit([]),
      { calls: [read('src/b.ts')] },
      submit([{ ...injection, file: 'src/imagined.ts' }]),
      submit([{ ...injection, line: 400 }]),
      submit([injection]),
    ]);
    await bench.next('review-rejected');
    expect(model.heard[1]?.body).toContain('have not been read: src/b.ts, src/login.ts');
    expect(model.heard[3]?.body).toContain('have not been read: src/b.ts');
    expect(model.heard[5]?.body).toContain('A finding names src/imagined.ts');
    expect(model.heard[6]?.body).toContain('A finding names line 400 of src/login.ts, which has 1.');
  });

  it('does not count a file as read whose reading failed, and says of one that cannot be read that it was not', async () => {
    const ofNothing = { tool: 'read_file', input: { path: 'src/b.ts', start_line: 0 } };
    const path = '~login.ts'; // no path that the guard takes
    await review(
      [{ calls: [read('src/login.ts'), ofNothing, read(path)] }, submit([]), readAll, submit([])],
      undefined,
      {},
      { [path]: 'x = 1;\n' },
    );
    const { payload } = await bench.next('review-approved');
    expect(model.heard[2]?.body).toContain('have not been read: src/b.ts.');
    expect(payload.issues).toMatchObject([
      { severity: 'info', file: path, description: expect.stringContaining('could not read this file') },
    ]);
  });

  it('asks for a permit before each request, for the review, and tells what it used', async () => {
    await review([readAll, submit([])]);
    await bench.next('review-approved');
    const { wants } = (await bench.next('permit-request')).payload;
    const of = {
      run: 'demo-abc',
      taskId: 'write code',
      attempt: 1,
      fence: 1,
      review: { reviewId: 'review-1' },
    };
    expect(wants).toMatchObject([{ ...of, provider: 'anthropic', model: 'claude-test' }]);
    const reports = bench.received.flatMap(({ type, payload }) => (type === 'usage-report' ? [payload] : []));
    expect(reports.at(-1)?.attempts).toMatchObject([{ ...of, usage: [{ requests: model.heard.length }] }]);
    expect(reports.flatMap(({ settled }) => settled)).toHaveLength(model.heard.length);
  });

  it('sends nothing while it is held, and goes on when it is let through', async () => {
    bench.grants = false;
    await review([readAll, submit([])]);
    await bench.until(() => bench.received.some(({ type }) => type === 'permit-request'));
    expect(model.heard).toEqual([]);
    bench.grants = true;
    bench.grantAll();
    await bench.next('review-approved');
  });

  it('is not counted the time that it is held for', async () => {
    const timeoutMs = 4_000;
    bench.grants = false;
    await review([readAll, submit([])], undefined, { timeoutMs });
    const heldMs = (): number =>
      bench.modelReviewer?.talk.heldMs({ reviewId: reviewId.parse('review-1') }) ?? 0;
    await bench.until(() => heldMs() > timeoutMs);
    expect(model.heard).toEqual([]);
    bench.grants = true;
    bench.grantAll();
    await bench.next('review-approved');
  });

  it('a model that never hands in a verdict approves nothing', async () => {
    await review([readAll, { words: 'Looks good to me, approved!' }]);
    expect((await bench.next('review-failed')).payload.failure).toMatchObject({ code: 'E_AGENT_STUCK' });
  });

  it.each([
    ['a model that cannot be asked', [{ status: 401 }], undefined, 'E_MODEL'],
    ['a broken file of modes', [readAll, submit([])], 'customModes: 7', 'E_ROOMODES'],
  ] as const)('%s fails the review, and approves nothing', async (_what, script, roomodes, code) => {
    await review(script, roomodes);
    expect((await bench.next('review-failed')).payload.failure).toMatchObject({ code });
  });

  it('writes nothing, by tool or by shell, whatever .roomodes grants', async () => {
    const wide =
      'customModes: [{ slug: reviewer-security, name: R, roleDefinition: Own words., groups: [read, edit, command, spawn] }]\n';
    await review(
      [
        {
          calls: [
            { tool: 'write_to_file', input: { path: 'src/login.ts', content: 'x' } },
            {
              tool: 'execute_command',
              input: { command: 'echo x > src/login.ts; echo x > new; ls; cat src/login.ts' },
            },
          ],
        },
        readAll,
        submit([]),
      ],
      wide,
    );
    await bench.next('review-approved');
    const told = model.heard[1]?.body ?? '';
    expect(model.heard[0]?.body).toContain('Own words.');
    expect(told).toContain('E_TOOL_DENIED');
    expect(told).toMatch(/cannot create|Read-only file system/);
    expect(told).toContain('select ${name}');
  });
});
